description = "do nothing in each slice: what a slice costs by itself"

options = {"n": 0}


def analysis(sliceno):
    pass
