"""The fault matrix: real calls over business systems of our own that go wrong in every way systems do."""
