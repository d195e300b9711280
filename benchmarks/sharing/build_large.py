import os

description = "one large file"


def main(urd):
    urd.build("large", bytes=int(os.environ["BENCH_BYTES"]))
