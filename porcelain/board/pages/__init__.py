"""The pages, one room a subject: each function takes what was asked for and returns what there is to show."""
