"""Helpers of csvimport: CSV text to rows, fields and labels."""
