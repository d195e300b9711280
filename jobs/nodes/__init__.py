"""What is stored of a job: one room a kind of node, and what goes into them."""
