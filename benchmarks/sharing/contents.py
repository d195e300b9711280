"""What is stored at a remote: records of 2 KB, columns of numbers. Each is a pure function of its number."""

import json
import random

import numpy as np
from bench.gen import ASCII_WORDS

RECORD_BYTES = 2000
BLOCK_BYTES = 8 << 20

_COMMON = ASCII_WORDS[:2000]


def record(number):
    """Return 2 KB of JSON: numbers that occur nowhere else, and words; zstd halves them."""
    own = random.Random(f"record {number}")
    values = [round(own.gauss(0, 1), 6) for _ in range(50)]
    text = " ".join(own.choices(_COMMON, k=250))
    record = {"id": number, "uuid": f"{own.getrandbits(128):032x}", "values": values, "text": text}
    return json.dumps(record).encode()[:RECORD_BYTES]


def block(number):
    """Return 8 MiB of one of three columns: times, codes of a category, prices."""
    generator, rows = np.random.default_rng([7, number]), BLOCK_BYTES // 8
    match number % 3:
        case 0:
            values = 1_700_000_000_000_000_000 + np.cumsum(generator.integers(1, 2_000_000, rows))
        case 1:
            values = np.minimum(generator.geometric(0.02, rows), 5000)
        case _:
            values = np.round(100 + np.cumsum(generator.normal(0, 0.05, rows)), 2)
    return values.astype("<f8" if number % 3 == 2 else "<i8").tobytes()
