"""A store elsewhere: objects and refs on any fsspec filesystem, and the way there."""
