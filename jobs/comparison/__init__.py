"""Whether two values, two files or two outcomes are the same, and where they differ first."""
