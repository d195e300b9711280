"""The sides of a job, each by itself: its label, files, nodes, listing, build; `jobs.job` puts them together."""
