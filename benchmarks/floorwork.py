"""The floor of reading columns of a dataset: `floorwork.py DATASET COLUMN...` prints the seconds.

It reads the stored bytes of all slices and decompresses them, in one thread: nothing is verified, no value is made.
"""

import sys
from time import perf_counter

import zstandard

from acc import Dataset
from cas.formats.stream import read_table

spec, *names = sys.argv[1:]
dataset = Dataset(spec)
store = dataset.store
forms = []
for name in names:
    for column_slice in dataset.get_column_node(name).slices:
        blob = column_slice.blob
        stored = store.packs.find_open(bytes.fromhex(blob)) or store.loose.find_open(blob)
        table = read_table(stored)
        ends = table.stored_ends if table else (stored.seal.stored_bytes,)
        forms.append((stored, ends))

decompress = zstandard.ZstdDecompressor().decompress
start = perf_counter()
for stored, ends in forms:
    begin = 0
    for end in ends:
        decompress(stored.read(begin, end))
        begin = end
print(perf_counter() - start)
