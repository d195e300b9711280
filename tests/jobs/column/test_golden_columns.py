"""Column slices of version 1, written once: they must be readable for ever, and equal values must give these ids.

They are read by acc, and by a second reader that knows the page docs/reference/formats/column.md only; a second writer
makes the same choices by it.
"""

import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.memory import MemoryStore
from jobs.column.floats import encode_floats
from jobs.column.slice import SliceReader
from jobs.column.transform import encode_ints
from tests.jobs.column.golden_values import GOLDEN, scattered
from tests.jobs.column.second_reader import read_slice
from tests.jobs.column.second_writer import write_floats, write_ints
from tests.jobs.column.test_types import few_bytes
from tests.suites.codec import CodecSuite, same, write

FOLDER = Path(__file__).parents[2] / "golden" / "v1" / "column"
SLOPES, WIDTHS = (0, 1, 3, 20, 300), (1, 2, 5, 11, 50, 300, 2**15, 2**16, 2**17, 2**25)
# the pickle of a later Python may differ, and so the id; what these others hold is stored as fractions today
OTHERWISE = {"pickle", "float64-planes", "float64-raw"}
written_alike = [name for name in GOLDEN if name not in OTHERWISE]


def test_there_is_a_value_for_each_file():
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.column" for name in GOLDEN}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_column_slice_is_still_read(name):
    column_type, values = GOLDEN[name]
    reader = SliceReader(io.BytesIO((FOLDER / f"{name}.column").read_bytes()), column_type, none_support=True)
    assert same(list(reader), values)


@pytest.mark.parametrize("name", written_alike)
def test_equal_values_still_give_the_same_bytes(name):
    column_type, values = GOLDEN[name]
    store = MemoryStore()
    summary = write(store, column_type, values, none=True)
    assert store.get(summary.blob) == (FOLDER / f"{name}.column").read_bytes()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_second_reader_reads_a_column_slice(name):
    column_type, values = GOLDEN[name]
    read_type, rows, _ = read_slice((FOLDER / f"{name}.column").read_bytes())
    assert read_type == column_type
    assert same(rows, values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_second_reader_reads_whatever_is_written(data):
    suite = data.draw(st.sampled_from(CodecSuite.__subclasses__()))
    column_type = suite.column_type.removeprefix("parsed:")
    values = data.draw(st.lists(st.none() | suite.values, max_size=20)) * data.draw(
        st.sampled_from([1, 9, 70])
    )
    store = MemoryStore()
    assert same(read_slice(store.get(write(store, column_type, values, none=True).blob))[1], values)


def test_a_second_reader_reads_many_batches():
    store = MemoryStore()
    _, rows, directory = read_slice(store.get(write(store, "number", few_bytes).blob))
    assert same(rows, few_bytes)
    assert [batch[1] for batch in directory["batches"]] == [65_536, 500]


# what a writer chooses


@pytest.mark.parametrize("count", [63, 64, 200, 2049, 2500])
def test_ints_are_written_as_the_page_says(count):
    noise = scattered(count, 2**40)
    families = [
        *(
            [place * slope + number % wide for place, number in enumerate(noise)]
            for slope in SLOPES
            for wide in WIDTHS
        ),
        *(
            [number % few * 2**40 // few for number in noise]
            for few in (1, 2, count // 3, count // 2, count // 2 + 9)
        ),
        *([number % wide * scale - 5 for number in noise] for wide in (7, 2**17) for scale in (2, 60, 10**9)),
        noise[: count // 2] * 2,
        *([number // run * 10**12 for number in range(count)] for run in (1, 3, 50)),
        *([number * 2**exponent for number in noise] for exponent in (21, 22, 23)),
        *([number % 2**60 - 2**63 for number in noise[1:]] + [last] for last in (-1, 0, 2**63 - 1)),
    ]
    for values in families:
        assert encode_ints(np.array(values, np.int64)) == write_ints(values)


@pytest.mark.parametrize("count", [63, 64, 160, 2500])
@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_floats_are_written_as_the_page_says(count, dtype):
    noise = scattered(count, 2**40)
    families = [[number % 10**7 / 10**decimals for number in noise] for decimals in range(12)]
    families += [
        [number % 1000 / divisor for number in noise] for divisor in (3, 8, 997, 1024, 4095, 4096, 2**20)
    ]
    families += [[number / (3, 8, divisor)[number % 3] for number in noise] for divisor in (5, 7, 171, 2**20)]
    families += [[number * 2.0**exponent / 3 for number in noise] for exponent in (-2, 0, 2, 80)]
    families += [[math.sqrt(number % wide) for number in noise] for wide in (3, count // 2, count * 9)]
    families += [[number / 7 for number in noise[: count // 2]] * 2]
    families += [[2.0**50 + number % 7 for number in noise], [2.0**24 - number % 3 for number in noise]]
    for odd in (math.nan, -0.0, math.inf, 1 / 3, 2**0.5):
        for each in (1, 14, 15, 16, 17, 18, 40):
            for divisor in (10, 77):
                families.append([odd if number % each == 0 else number % 999 / divisor for number in noise])
    for values in families:
        array = np.array(values, dtype)
        assert encode_floats(array) == write_floats(array.tolist(), array.itemsize)
