"""What projects have from each other by remotes: jobs under labels, urd sessions, result links, builds."""
