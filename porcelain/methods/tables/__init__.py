"""Helpers of the standard methods that work on many rows of columns in memory and on scratch disk."""
