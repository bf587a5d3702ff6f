"""What so many calls at once need: a small model over the committed measurements (docs/sizing.md)."""
