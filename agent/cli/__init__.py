"""The orderline command, a file for each family of commands."""
