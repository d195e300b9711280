"""The board: what a project holds, to be looked at in a browser; it only reads. Needs `acc[board]`."""
