"""Helpers of csvimport and csvexport: CSV text to rows, fields and labels; values to text, quotes and lines."""
