"""Compute it."""
