"""Commands for people: rooms with a function for each command, loaded by name; it takes the arguments."""
