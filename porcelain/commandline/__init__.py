"""What the words after a command mean, and what comes in on stdin."""
