"""The pages: each handler fetches what its page shows, makes the view of it and prints the template."""
