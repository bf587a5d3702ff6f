"""What must outlive the process: snapshots of calls, lost calls, callers who come back."""
