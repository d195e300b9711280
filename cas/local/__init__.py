"""The store and the refs under .acc, and their upkeep."""
