"""The standard methods, and what several of them share."""
