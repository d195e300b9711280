"""What a writer makes of ints and floats, slow and plain, by docs/reference/formats/column.md with nothing of ours."""

import math
import struct
from itertools import pairwise

WRAP = 2**64


def padded(data):
    return data + bytes(-len(data) % 8)


def float32(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


class Sample:
    """Runs of neighbours, and what is known of the integers in them."""

    def __init__(self, runs):
        values = sorted(value for run in runs for value in run)
        self.runs, self.size, self.distinct = runs, len(values), len(set(values))
        self.bits = sum(map(bits_of, (abs(value - values[len(values) // 2]) for value in values)))

    @classmethod
    def of(cls, values):
        if len(values) <= 2048:
            return cls([values])
        apart = len(values) // 64
        return cls([values[run * apart : run * apart + 32] for run in range(64)])

    def deltas(self):
        return Sample([[after - before for before, after in pairwise(run)] for run in self.runs])

    @property
    def is_varied(self):
        return 2 * self.distinct > self.size


def bits_of(number):
    return math.frexp(float(number))[1]


def steps_are_better(sample, deltas):
    if (deltas.bits + deltas.size) * sample.size > sample.bits * deltas.size:
        return False
    return sample.is_varied or deltas.distinct * sample.size < sample.distinct * deltas.size


def write_items(flags, terms, count, items, sample):
    width = (max(items, default=0).bit_length() + 7) // 8
    planes = sample is not None and (width == 2 or (width > 2 and sample.is_varied))
    if planes:
        data = b"".join(bytes(item >> 8 * plane & 255 for item in items) for plane in range(width))
    else:
        width = next(size for size in (0, 1, 2, 4, 8) if size >= width)
        data = b"".join(item.to_bytes(width, "little") for item in items)
    return struct.pack("<BBHIqqq", flags | 2 * planes, width, 0, count, *terms) + padded(data)


def write_ints(values):
    """Return the part of `values`."""
    count = len(values)
    if not values:
        return struct.pack("<BBHIqqq", 0, 0, 0, 0, 0, 1, 0)
    low = min(values)
    distances = [value - low for value in values]
    if count < 64 or not any(distances):
        return write_items(0, (low, 1, 0), count, distances, None)
    if max(distances) >= 2**62:
        wrapped = [(distance + WRAP // 2) % WRAP - WRAP // 2 for distance in distances]
        return write_items(0, (low, 1, 0), count, distances, Sample.of(wrapped))
    pairs = [distances[place * (count // 32) + next_one] for place in range(32) for next_one in (0, 1)]
    scale = math.gcd(*pairs)
    if scale < 2 or any(distance % scale for distance in distances):
        scale = 1
    distances = [distance // scale for distance in distances]
    sample = Sample.of(distances)
    deltas = sample.deltas()
    if not steps_are_better(sample, deltas):
        return write_items(0, (low, scale, 0), count, distances, sample)
    steps = [after - before for before, after in pairwise(distances)]
    terms = (values[0], scale, min(steps))
    return write_items(1, terms, count, [step - min(steps) for step in steps], deltas)


def find_decimals(values, size):
    def as_integer(value, decimals):
        """Return the integer that `value` is exact as, or None."""
        scaled = value * 10.0**decimals
        if not abs(scaled) < 2 ** {8: 53, 4: 24}[size] or not abs(round(scaled)) < 2 ** {8: 53, 4: 24}[size]:
            return None
        again = round(scaled) / 10.0**decimals
        again = float32(again) if size == 4 else again
        return round(scaled) if struct.pack("<d", again) == struct.pack("<d", value) else None

    some = [values[place * (len(values) // 64)] for place in range(64)]
    for decimals in range(11):
        if sum(as_integer(value, decimals) is not None for value in some) >= 60:
            integers = [as_integer(value, decimals) for value in values]
            return decimals, integers if 16 * integers.count(None) <= len(values) else None
    return 0, None


def as_fraction(value, divisor):
    """Return the integer that `value` is as a fraction, or None."""
    if not abs(value) < 2**40:
        return None
    numerator = round(value * divisor)
    return numerator if abs(numerator) < 2**40 and numerator / divisor == value else None


def find_fractions(values):
    divisor, misfits = 1, 0
    for value in (values[place * (len(values) // 64)] for place in range(64)):
        if as_fraction(value, divisor) is None:
            found = next((q for q in range(2, 4096) if as_fraction(value, q) is not None), None)
            if found is None or math.lcm(found, divisor) > 4095:
                misfits += 1
            else:
                divisor = math.lcm(found, divisor)
    numerators = [as_fraction(value, divisor) for value in values]
    numerators = [
        None if numerator == 0 and math.copysign(1, value) < 0 else numerator
        for numerator, value in zip(numerators, values, strict=True)
    ]
    fits = misfits <= 4 and 16 * numerators.count(None) <= len(values)
    return divisor, numerators if fits else None


def write_floats(values, size):
    """Return the part of `values`, floats of `size` bytes."""
    form, ints = {4: ("<f", "<i"), 8: ("<d", "<q")}[size]

    def head(how, decimals=0, divisor=0):
        return struct.pack("<BBHI", how, decimals, divisor, len(values))

    def with_exceptions(integers):
        places = [place for place, integer in enumerate(integers) if integer is None]
        first = next(integer for integer in integers if integer is not None)
        part = write_ints([first if integer is None else integer for integer in integers])
        return part + write_ints(places) + padded(b"".join(raw[place] for place in places))

    raw = [struct.pack(form, value) for value in values]
    if len(values) >= 64:
        decimals, integers = find_decimals(values, size)
        if integers is not None:
            return head(2, decimals) + with_exceptions(integers)
        divisor, integers = find_fractions(values) if size == 8 else (1, None)
        if integers is not None:
            return head(3, divisor=divisor) + with_exceptions(integers)
        if Sample.of([struct.unpack(ints, each)[0] for each in raw]).is_varied:
            return head(1) + padded(b"".join(bytes(each[plane] for each in raw) for plane in range(size)))
    return head(0) + padded(b"".join(raw))
