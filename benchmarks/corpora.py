"""Seeded files to store: four corpora, and beside each the files that differ in its second version.

A corpus is a folder: `small`, `num`, `bigc` and `bigi`. Copied over it, `<corpus>.delta` makes version 2, in which
1% has changed. The same numpy makes the same bytes on every machine.
"""

import json
import random
import shutil
from functools import lru_cache

import numpy as np

MB = 1 << 20

_BLOCK = 64 * MB
_WORDS = 30_000
_LETTERS = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", "u1")


def make(folder, scale=1.0):
    """Write the corpora into `folder`, which is there only when all of them are: 2.2 GB at scale 1."""
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    _write_large(draft, "bigc", "log.txt", (_words(100 + i, _BLOCK) for i in range(_count(16, scale))))
    _write_changed(draft, "bigc", "log.txt", 7, _words)
    _write_large(draft, "bigi", "rand.bin", (_noise(200 + i, _BLOCK) for i in range(_count(8, scale))))
    _write_changed(draft, "bigi", "rand.bin", 8, _noise)
    chosen = random.Random(3)
    _write_records(draft, _count(20_000, scale), chosen)
    _write_columns(draft, _count(2_000, scale), chosen)
    draft.rename(folder)


def _count(full, scale):
    return max(1, int(full * scale))


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# ---- one large file each: a log, and noise


def _write_large(folder, corpus, name, blocks):
    (folder / corpus).mkdir(parents=True)
    with open(folder / corpus / name, "wb") as file:
        file.writelines(blocks)


def _write_changed(folder, corpus, name, seed, make_bytes):
    """Write version 2 of a large file: 20 places overwritten, some bytes inserted, some appended."""
    data = bytearray((folder / corpus / name).read_bytes())
    size, chosen = len(data), random.Random(seed)
    step = int(size * 0.01 / 20)
    for i in range(20):
        start = chosen.randrange(0, size - step)
        data[start : start + step] = make_bytes(seed * 100 + i, step)
    data[size // 10 : size // 10] = make_bytes(seed * 1000, 1000)  # shifts all that stands behind it
    data += make_bytes(seed * 1001, size // 200)
    _write(folder / f"{corpus}.delta" / name, data)


def _words(seed, size):
    """Return `size` bytes like those of a log: few words are common, and lines begin with a time."""
    count = int(size / 6.0) + 1000
    places = np.minimum(np.random.default_rng(seed).zipf(1.35, count) - 1, _WORDS - 1)
    words = _vocabulary()[places].tolist()
    for i in range(0, count, 14):
        time = (1 + i // 400_000 % 28, i // 36_000 % 24, i // 600 % 60, i // 10 % 60)
        words[i] = b"\n2024-03-%02dT%02d:%02d:%02d.%06d" % (*time, int(places[i]) * 7919 % 1_000_000)
    text = b" ".join(words)
    while len(text) < size:
        text += text
    return text[:size]


@lru_cache(1)
def _vocabulary():
    generator = np.random.default_rng(1)
    lengths = generator.integers(2, 11, _WORDS)
    words = [_LETTERS[np.minimum(generator.geometric(0.13, n) - 1, 25)].tobytes() for n in lengths]
    return np.array(words, object)


def _noise(seed, size):
    return np.random.default_rng(seed).bytes(size)


# ---- many small files: records of 1 to 8 KB


def _write_records(folder, count, chosen):
    text = _words(300, 16 * MB)

    def write(corpus, i, salt):
        _write(folder / corpus / f"d{i % 200:03d}" / f"f{i:05d}.json", _record(text, i, salt))

    for i in range(count):
        write("small", i, 0)
    for i in chosen.sample(range(count), _count(count, 0.01)):
        write("small.delta", i, 1)
    for i in range(count, count + _count(count, 0.01)):
        write("small.delta", i, 0)


def _record(text, i, salt):
    own = random.Random(f"{i}-{salt}")
    size, start = own.randrange(1024, 8192), own.randrange(0, len(text) - 9000)
    record = {"id": i, "salt": salt, "uuid": f"{own.getrandbits(128):032x}"}
    record["v"] = [round(own.gauss(0, 1), 6) for _ in range(size // 60)]
    return (json.dumps(record).encode() + text[start : start + size])[:size]


# ---- columns of numbers: files of 100 to 500 KB


def _write_columns(folder, count, chosen):
    def write(corpus, i, column):
        _write(folder / corpus / f"t{i // 20:03d}" / f"c{i:04d}.bin", column.tobytes())

    for i in range(count):
        write("num", i, _column(i))
    for i in chosen.sample(range(count), _count(count, 0.01)):
        write("num.delta", i, _edited(_column(i)))
    for i in chosen.sample(range(count), _count(count, 0.01)):
        write("num.delta", i, _column(i, more_rows=500))


def _column(i, more_rows=0):
    """Return a column of one of five kinds: times, category codes, prices, noise, row ids."""
    generator = np.random.default_rng([5, i])
    rows = int(generator.integers(100_000, 500_000)) // 8 + more_rows
    many = rows - more_rows + 100_000  # so that with more rows it begins with the same ones
    match i % 5:
        case 0:
            values = 1_700_000_000_000_000_000 + np.cumsum(generator.integers(1, 2_000_000, many))
        case 1:
            values = np.minimum(generator.zipf(1.5, many), 5000)
        case 2:
            values = np.round(100 + np.cumsum(generator.normal(0, 0.05, many)), 2)
        case 3:
            values = generator.normal(0, 1, many)
        case _:
            values = np.arange(1_000_000 * i, 1_000_000 * i + many)
    return values[:rows].astype("<f8" if i % 5 in {2, 3} else "<i8")


def _edited(column):
    start, length = len(column) // 3, len(column) // 100
    column[start : start + length] = column[start : start + length][::-1] + 1
    return column
