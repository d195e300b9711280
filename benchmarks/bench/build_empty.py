description = "no job at all: the start of a build"


def main(urd):
    pass
