"""What acc.toml may say: its values one by one, and the remotes, which are places elsewhere."""
