"""The shop's business systems behind Protocols."""
