from sharing.contents import BLOCK_BYTES, block

description = "one large file of columns of numbers"

options = {"bytes": 1 << 30}


def synthesis(job):
    with job.open("large.bin", "wb") as file:
        for number in range(options.bytes // BLOCK_BYTES):
            file.write(block(number))
