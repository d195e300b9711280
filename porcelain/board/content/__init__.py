"""What is shown of a file: what it is, its beginning as table, text or bytes, and its bytes as they are sent."""
