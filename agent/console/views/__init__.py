"""What the console's pages show: typed data made of calls, events and states, and the templates that print it."""
