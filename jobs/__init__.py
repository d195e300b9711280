"""The engine: has this been computed, and if not, compute it."""
