"""What the commands that read rows share: which datasets and slices, rows in pieces, values as text."""
