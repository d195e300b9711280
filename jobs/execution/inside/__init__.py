"""Inside the process of a job: its method is loaded, its stages run, and what it does is noted."""
