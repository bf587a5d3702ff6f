"""Reports over the kept calls: definitions, counts, intervals; every number leads to its calls."""
