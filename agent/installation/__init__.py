"""Puts Orderline onto a machine and takes it off again. Standard library only: it runs before anything is installed."""
