"""The two databases an index may be in: SQLite beside the records, or PostgreSQL. The only place that tells them apart.

What both do alike is SQLAlchemy Core over :mod:`agent.history.tables`, in the rooms around this one.
"""
