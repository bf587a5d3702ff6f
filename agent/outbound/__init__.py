"""Calls to customers: jobs, attempts, the do-not-call list, when a number may be dialled, and the dialler."""
