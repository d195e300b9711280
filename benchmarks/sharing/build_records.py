import os

description = "many small files"


def main(urd):
    urd.build("records", count=int(os.environ["BENCH_FILES"]))
