"""One phone call from ring to record; knows Protocols, not Asterisk."""
