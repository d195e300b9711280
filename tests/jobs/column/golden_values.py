"""What the golden column slices hold: name of the file, type, values. Written once; never change a line."""

import datetime
import math

UTC = datetime.UTC
NAN, INF = math.nan, math.inf


def scattered(count: int, below: int) -> list[int]:
    """Return numbers without an order (a linear congruential generator)."""
    state, numbers = 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        numbers.append((state >> 11) % below)
    return numbers


_MOMENT = datetime.datetime(2013, 1, 1, 5, 15, 0, 1)

GOLDEN = {
    "number": (
        "number",
        [1, 1.0, None, -0.0, NAN, -INF, 2**63 - 1, 2**63, -(2**63) - 1, -(2**80), 10**100, 0.1],
    ),
    "number-ints": ("number", [3, 1, 2]),
    "int64": ("int64", [0, -1, None, 2**63 - 1, -(2**63)]),
    "int64-nothing": ("int64", []),
    "int64-none": ("int64", [None] * 9),
    "int64-sequence": ("int64", list(range(1000, 4000, 3))),
    "int64-steps": ("int64", [place * 50 + noise for place, noise in enumerate(scattered(3000, 40))]),
    "int64-planes": ("int64", [-(10**12) + number for number in scattered(300, 2**21)]),
    "int64-repeated": ("int64", [2**40 * (number % 5) + number % 7 for number in scattered(300, 2**30)]),
    "int64-scaled": ("int64", [7 + 3_600_000_000 * number for number in scattered(300, 2**12)]),
    "int64-widest": ("int64", [number - 2**63 for number in scattered(70, 2**53)] + [2**63 - 1]),
    "int64-batches": ("int64", [number % 3 for number in range(65_536 + 3)]),
    "int32": ("int32", [0, 2**31 - 1, None, -(2**31)]),
    "float64": ("float64", [0.0, -0.0, None, NAN, INF, -INF, 0.1, 5e-324, 1.7976931348623157e308]),
    "float64-decimals": (
        "float64",
        [*(number / 100 for number in scattered(100, 10**5)), NAN, -0.0, 1e300, 1 / 3],
    ),
    "float64-planes": ("float64", [number / 3 for number in scattered(100, 10**9)]),
    "float64-raw": ("float64", [1 / (3 + number) for number in scattered(100, 5)]),
    "float64-fractions": (
        "float64",
        [number / (3, 7)[number % 2] for number in scattered(100, 10**9)] + [-0.0, 2**0.5, math.nan],
    ),
    "float64-varied": ("float64", [number**0.5 for number in scattered(100, 10**9)]),
    "float64-few": ("float64", [number**0.5 for number in scattered(100, 5)]),
    "float32": ("float32", [0.0, -0.0, None, NAN, INF, 0.10000000149011612, 2.0**-149]),
    "float32-decimals": ("float32", [number / 4 for number in scattered(100, 10**4)]),
    "complex64": ("complex64", [1 + 2j, None, complex(-0.0, NAN), complex(INF, 0.1)]),
    "complex32": ("complex32", [1 + 2j, None, complex(-0.0, NAN), complex(INF, 0.5)]),
    "bool": ("bool", [True, False, None, True, True, False, False, False, True]),
    "date": ("date", [datetime.date.min, None, datetime.date(1970, 1, 1), datetime.date.max]),
    "time": ("time", [datetime.time.min, None, datetime.time.max, datetime.time(1, 2, 3, 4, UTC, fold=1)]),
    "datetime": (
        "datetime",
        [_MOMENT, None, _MOMENT.replace(tzinfo=UTC), _MOMENT.replace(fold=1), datetime.datetime.min],
    ),
    "bytes": ("bytes", [b"", b"a", None, b"\xff\0"]),
    "bytes-lengths": ("bytes", [bytes(range(32)), b"", None, b"\n", bytes(range(31, -1, -1))]),
    "ascii": ("ascii", ["", "a", None, "b\tc"]),
    "unicode": ("unicode", ["", "é", None, "\U0010ffff", "\0"]),
    "unicode-separator": ("unicode", ["a\nb\0c\1\2", "é"]),
    "unicode-one-empty": ("unicode", [""]),
    "json": ("json", [None, [1, {"b": -0.0, "a": [INF, NAN]}], "é\n\ud800", 2**70]),
    "pickle": ("pickle", [None, (1, "é"), [b"\n"], {"a": 2.5}]),
}
