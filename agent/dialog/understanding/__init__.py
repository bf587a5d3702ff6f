"""What an open request in a caller's own words probably means: evidence, fitting and one acceptance score."""
