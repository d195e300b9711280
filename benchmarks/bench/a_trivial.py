description = "return a number: what a job costs by itself"

options = {"n": 0}


def synthesis():
    return options.n
