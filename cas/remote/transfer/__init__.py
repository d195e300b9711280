"""Objects brought from a remote, and sent there."""
