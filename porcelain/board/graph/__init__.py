"""Dependency graphs: what was made from what, where each node lies, and the picture of it."""
