"""The columns of a job together: heads, rows, chains."""
