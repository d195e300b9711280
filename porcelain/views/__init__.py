"""What is stored, as plain dicts: `--json` prints them, and tables show them."""
