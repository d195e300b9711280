"""Urd: how its lists are named, what they keep, and the sessions that scripts begin and finish."""
