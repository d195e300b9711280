"""A reader of column slices, slow and plain, written from docs/reference/formats/column.md with nothing of ours."""

import datetime
import json
import math
import pickle
import struct

END = bytes.fromhex("61636320636f6c01")
WRAP = 2**64


class Parts:
    """The parts of a batch, read one behind the other."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, size, *, padded=False):
        taken = self.data[self.place : self.place + size]
        assert len(taken) == size
        self.place += size + (-size % 8 if padded else 0)
        return taken

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def bits(self):
        (count,) = self.unpack("<Q")
        bitmap = self.take((count + 7) // 8, padded=True)
        return [bitmap[place // 8] >> place % 8 & 1 for place in range(count)]

    def items(self, count, size, *, planes):
        data = self.take(count * size, padded=True)
        if planes:
            return [bytes(data[plane * count + place] for plane in range(size)) for place in range(count)]
        return [data[place * size : (place + 1) * size] for place in range(count)]

    def ints(self):
        flags, width, _, count, offset, scale, step = self.unpack("<BBHIqqq")
        items = self.items(count - (flags & 1), width, planes=flags & 2)
        values, total = [0] if flags & 1 else [], 0
        for item in items:
            number = step + int.from_bytes(item, "little")
            total = total + number if flags & 1 else number
            values.append(total)
        return [(offset + scale * value + WRAP // 2) % WRAP - WRAP // 2 for value in values]

    def floats(self, size):
        form = {4: "<f", 8: "<d"}[size]
        how, decimals, divisor, count = self.unpack("<BBHI")
        if how < 2:
            return [struct.unpack(form, item)[0] for item in self.items(count, size, planes=how == 1)]
        values = [
            struct.unpack(form, struct.pack(form, number / (divisor or 10**decimals)))[0]
            for number in self.ints()
        ]
        assert len(values) == count
        places = self.ints()
        for place, item in zip(places, self.items(len(places), size, planes=False), strict=True):
            values[place] = struct.unpack(form, item)[0]
        return values

    def texts(self):
        layout, separator, _, count = self.unpack("<BBHI")
        if layout == 0:
            rest = self.data[self.place :]
            return rest.split(bytes([separator])) if count else []
        return [self.take(length) for length in self.ints()]


def date(days):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=days)


def moments(parts):
    for microseconds, flags in zip(parts.ints(), parts.ints(), strict=True):
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=microseconds)
        yield moment.replace(tzinfo=datetime.UTC if flags & 1 else None, fold=flags >> 1)


def complexes(floats):
    return [complex(*pair) for pair in zip(floats[::2], floats[1::2], strict=True)]


def numbers(parts):
    kinds = parts.ints()
    values = [iter(parts.ints()), iter(parts.floats(8))]
    values.append(int.from_bytes(text, "little", signed=True) for text in parts.texts())
    return [next(values[kind]) for kind in kinds]


VALUES = {
    "int64": Parts.ints,
    "int32": Parts.ints,
    "float64": lambda parts: parts.floats(8),
    "float32": lambda parts: parts.floats(4),
    "complex64": lambda parts: complexes(parts.floats(8)),
    "complex32": lambda parts: complexes(parts.floats(4)),
    "bool": lambda parts: list(map(bool, parts.bits())),
    "date": lambda parts: list(map(date, parts.ints())),
    "datetime": lambda parts: list(moments(parts)),
    "time": lambda parts: [moment.timetz() for moment in moments(parts)],
    "number": numbers,
    "bytes": Parts.texts,
    "ascii": lambda parts: [text.decode("ascii") for text in parts.texts()],
    "unicode": lambda parts: [text.decode("utf-8") for text in parts.texts()],
    "json": lambda parts: [json.loads(text) for text in parts.texts()],
    "pickle": lambda parts: [pickle.loads(text) for text in parts.texts()],
}


def read_batch(data, column_type):
    """Return the rows of a batch."""
    parts = Parts(data)
    rows, masked, _, _ = parts.unpack("<IBBH")
    is_none = parts.bits() if masked else [0] * rows
    values = iter(VALUES[column_type](parts))
    read = [None if none else next(values) for none in is_none]
    assert len(read) == rows
    assert next(values, math.inf) is math.inf
    return read


def read_slice(blob):
    """Return type and rows of a column slice, and its directory."""
    size, _ = struct.unpack("<II", blob[-16:-8])
    assert blob[-8:] == END
    directory = json.loads(blob[-16 - size : -16])
    rows, offset = [], 0
    for batch_bytes, batch_rows, _, _ in directory["batches"]:
        batch = read_batch(blob[offset : offset + batch_bytes], directory["type"])
        assert len(batch) == batch_rows
        rows += batch
        offset += batch_bytes
    assert offset == len(blob) - 16 - size
    return directory["type"], rows, directory
