"""What is stored, as `--json` prints it and tables show it: in plain dicts, and in lines of text."""
