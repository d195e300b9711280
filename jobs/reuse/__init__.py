"""What tells whether a job has been computed already."""
