"""The rows of datasets, found in bounded memory and time: by number, by what is in them, and in order."""
