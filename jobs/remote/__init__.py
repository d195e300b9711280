"""What jobs come from others by remotes, and which go to them."""
