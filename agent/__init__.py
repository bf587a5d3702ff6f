"""Orderline: an on-prem voice agent for Asterisk that answers an online shop's calls."""

__version__ = "0.1.0"
