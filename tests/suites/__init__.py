"""Suites: what has two implementations passes one of these."""
