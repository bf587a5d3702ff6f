"""The demo shop: a real SQLite database with made-up customers and orders."""
