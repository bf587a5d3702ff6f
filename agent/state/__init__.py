"""What must outlive a process or be known to every node: calls under way, the pause, failed verifications."""
