description = "one link of a chain of jobs"

options = {"n": 0}
jobs = ("previous",)


def synthesis():
    return options.n
