"""Files left in the current directory are registered if nothing else was."""


def synthesis():
    with open("left.txt", "w") as fh:
        fh.write("left")
