"""The client of Asterisk's REST interface (ARI): requests, resources, the event stream."""
