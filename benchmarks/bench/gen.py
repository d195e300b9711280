"""Rows and CSV text, each value a pure function of its row: no state, no clock, no seed from outside."""

import datetime
import random

_MASK = 0xFFFFFFFFFFFFFFFF
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _words(count, seed, alphabet, shortest, longest):
    generator = random.Random(seed)
    words = {}
    while len(words) < count:
        length = generator.randint(shortest, longest)
        words["".join(generator.choice(alphabet) for _ in range(length))] = None
    return list(words)


# the counts are primes, so that columns do not repeat in step
WORDS = _words(50021, 4711, _LETTERS + "ABCDEF0123" + "åäöéßжюλ", 8, 12)
ASCII_WORDS = _words(20011, 4712, _LETTERS, 5, 15)
NASTY = [word[:4] + (", ", ' ""q"" ', " ", " - ", ",")[n % 5] + word[4:] for n, word in enumerate(WORDS)]
DATES = [datetime.date(1990, 1, 1) + datetime.timedelta(days=day) for day in range(12007)]
DAYS = [date.isoformat() for date in DATES]

CSV_COLUMNS = ["id", "small", "big", "f1", "f2", "day", "ts", "word", "text", "uni"]
CSV_TYPES = {
    "id": "int64_10",
    "small": "int32_10",
    "big": "int64_10",
    "f1": "float64",
    "f2": "float64",
    "day": "date:%Y-%m-%d",
    "ts": "datetime:%Y-%m-%d %H:%M:%S",
    "word": "ascii",
    "text": "ascii",
    "uni": "unicode:utf-8",
}


def mix(index):
    """Return 64 well mixed bits of `index`: one step of splitmix64."""
    bits = (index * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    return bits ^ (bits >> 31)


def rows(start, stop):
    """Yield an int64, a float64, a unicode word of about ten letters, and a date, for each index."""
    words, dates = WORDS, DATES
    n_words, n_dates = len(words), len(dates)
    for index in range(start, stop):
        # `mix` written out: a call would cost as much as the row
        bits = (index * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        bits ^= bits >> 31
        yield (
            (bits >> 24) - 549755813888,
            (bits % 1000003) / 997.0,
            words[(bits >> 7) % n_words],
            dates[(bits >> 13) % n_dates],
        )


def _csv_line(index):
    bits = mix(index)
    day = DAYS[(bits >> 13) % len(DAYS)]
    words = (ASCII_WORDS[(bits >> shift) % len(ASCII_WORDS)] for shift in (5, 21, 33))
    return '{},{},{},{!r},{:.2f},{},{} {:02}:{:02}:{:02},{},{} {},"{}"\n'.format(
        index,
        (bits >> 40) % 2000 - 1000,
        (bits >> 1) - (1 << 62),
        (bits % 1000003) / 997.0,
        (bits >> 9) % 10000000 / 100,
        day,
        day,
        (bits >> 3) % 24,
        (bits >> 8) % 60,
        (bits >> 14) % 60,
        *words,
        NASTY[(bits >> 17) % len(NASTY)],
    )


def write_csv(path, lines):
    """Write a CSV file of `lines` rows and ten columns, about 140 bytes a row."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(CSV_COLUMNS) + "\n")
        file.writelines(_csv_line(index) for index in range(lines))
