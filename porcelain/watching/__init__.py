"""What goes on right now: heard, seen, drawn and kept, while it runs."""
