"""Commands for programs: one room a command, one record a line, and a start that costs next to nothing."""
