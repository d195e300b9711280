"""The catalogue: what the board has to find, count and sort quickly, in a database that may be deleted at any time."""
