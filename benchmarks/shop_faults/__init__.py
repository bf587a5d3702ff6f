"""Shop fault matrix: real calls over test business systems that fail in every way systems do."""
