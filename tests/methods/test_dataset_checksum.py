"""dataset_checksum and dataset_checksum_chain: what a sum depends on, and that it is that of the documented form."""

import json
import struct
from datetime import UTC, date, datetime, time

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed
from porcelain.methods.tables.columns import read_slice
from porcelain.methods.tables.rowbytes import rows_as_bytes
from tests.jobs.dataset.owners import FewJobs
from tests.methods.bench import SLICES

NAN = float("nan")
TEXT = b"a,b\n1,x\n2,y\n2,y\n3,\n"


@pytest.fixture
def total(bench):
    """Return a function that gives the sum of a dataset."""

    def build(source, **options):
        return bench.build("dataset_checksum", source=source, **options).load().sum

    return build


def form_of(value, kind):
    """Return head and tail of one value, as the documentation says."""
    if kind in ("json", "pickle"):
        tail = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        return b"j" + struct.pack("<q", len(tail)), tail
    if isinstance(value, complex):
        return b"c" + float_form(value.real), float_form(value.imag)
    if isinstance(value, bytes):
        return b"s" + struct.pack("<q", len(value)), value
    if isinstance(value, str):
        return b"u" + struct.pack("<q", len(value.encode())), value.encode()
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        tail = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"I" + struct.pack("<q", len(tail)), tail
    return HEADS[type(value)](value), b""


def moment_form(letter, value, days):
    micros = (
        ((days * 24 + value.hour) * 60 + value.minute) * 60 + value.second
    ) * 1_000_000 + value.microsecond
    return letter + struct.pack("<q", micros * 4 + (value.tzinfo is not None) + 2 * value.fold)


def days_of(value):
    return value.toordinal() - date(1970, 1, 1).toordinal()


HEADS = {
    type(None): lambda _: bytes(9),
    bool: lambda value: b"b" + struct.pack("<q", value),
    int: lambda value: b"i" + struct.pack("<q", value),
    float: lambda value: b"f" + float_form(value),
    date: lambda value: b"d" + struct.pack("<q", days_of(value)),
    datetime: lambda value: moment_form(b"t", value, days_of(value)),
    time: lambda value: moment_form(b"m", value, 0),
}


def float_form(value):
    return struct.pack("<Q", 0x7FF8000000000000) if value != value else struct.pack("<d", value)


VALUES = {
    "int32": [0, -1, None, 2**31 - 1],
    "int64": [0, -(2**63), 2**63 - 1, None],
    "number": [1, 1.0, None, NAN, 2**63, -(2**200), 0.5],
    "float64": [0.0, -0.0, NAN, float("inf"), 1.5, None],
    "float32": [0.0, -0.0, NAN, 1.5, None],
    "complex64": [0j, complex(NAN, -0.0), 1 + 2j, None],
    "complex32": [0j, 1 + 2j, None],
    "bool": [True, False, None],
    "date": [date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31), None],
    "datetime": [
        datetime(1, 1, 1),
        datetime(2024, 1, 2, 3, 4, 5, 6, UTC),
        datetime(2024, 1, 2, 3, 4, 5, 6, fold=1),
        datetime(9999, 12, 31, 23, 59, 59, 999_999),
        None,
    ],
    "time": [time(0), time(23, 59, 59, 999_999, UTC), time(1, fold=1), None],
    "bytes": [b"", b"a\n\0", b"\xff", None],
    "ascii": ["", "a\n\0", "x", None],
    "unicode": ["", "å\n\0", "None", None],
    "json": [None, {"b": 1, "a": [None, "å"]}, [], "x", 1.5],
    "pickle": [None, {"b": 1, "a": [1]}, "x"],
}


def row_form(row, kinds):
    forms = [form_of(value, kind) for value, kind in zip(row, kinds, strict=True)]
    return b"".join(head for head, _ in forms) + b"".join(tail for _, tail in forms)


def sum_of(rows, kinds):
    """Return the sum of rows."""
    digests = sorted(blake3(row_form(row, kinds)).digest() for row in rows)
    return int(blake3(b"".join(digests)).hexdigest(), 16)


# ---- the canonical form


def written(kinds, rows):
    """Return a dataset with these rows in its first slice, and the names of its columns in order."""
    names = [f"c{number:02}" for number in range(len(kinds))]
    columns = {name: (kind, kind not in ("json", "pickle")) for name, kind in zip(names, kinds, strict=True)}
    return FewJobs().write(columns, [rows, [], []]), names


def forms_in(dataset, names):
    types = {name: dataset.columns[name].type for name in names}
    return [bytes(row) for batch in read_slice(dataset, 0, names) for row in rows_as_bytes(batch, types)]


@pytest.mark.parametrize("kind", VALUES)
def test_the_form_of_each_type_is_the_documented_one(kind):
    dataset, names = written([kind], [[value] for value in VALUES[kind]])
    assert forms_in(dataset, names) == [row_form([value], [kind]) for value in VALUES[kind]]


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_the_form_of_a_row_is_that_of_its_values(data):
    kinds = data.draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    rows = [
        [data.draw(st.sampled_from(VALUES[kind])) for kind in kinds]
        for _ in range(data.draw(st.integers(0, 5)))
    ]
    dataset, names = written(kinds, rows)
    assert forms_in(dataset, names) == [row_form(row, kinds) for row in rows]


def test_values_that_differ_have_different_forms():
    for values in VALUES.values():
        kind = next(kind for kind, held in VALUES.items() if held is values)
        forms = [row_form([value], [kind]) for value in values]
        assert len(set(forms)) == len(forms)


# ---- sums


@pytest.fixture
def source(bench):
    job = bench.build(
        "dataset_type",
        source=bench.table(TEXT),
        column2type={"a": "int64_10", "b": "unicode+None:utf-8"},
    )
    return job.dataset()


def test_the_sum_is_that_of_the_sorted_rows(total, source):
    rows = list(source.iterate(None, ["a", "b"]))
    assert len(rows) == 4
    assert total(source) == sum_of(rows, ["int64", "unicode"])


def test_the_result_says_what_was_summed(bench, source):
    result = bench.build("dataset_checksum", source=source, columns={"b"}).load()
    assert result == {"sum": result.sum, "sort": True, "columns": ["b"], "source": source}


def test_slices_order_names_and_width_do_not_count(bench, total, source):
    shuffled = b"y,x\n3,\n2,y\n1,x\n2,y\n".replace(b"y,x\n", b"p,q\n", 1)
    other = bench.build(
        "dataset_type",
        source=bench.csvimport(shuffled, "other.csv").dataset(),
        column2type={"p": "int32_10", "q": "ascii+None"},
        hashlabel="p",
    ).dataset()
    assert other.lines != source.lines
    assert total(other) == total(source)
    assert total(other, sort=False) != total(source, sort=False)


@pytest.mark.parametrize(
    "text", [TEXT[:-4], TEXT + b"2,y\n", TEXT.replace(b"x", b"z"), TEXT.replace(b"2,y\n2,y", b"2,y\n3,y")]
)
def test_other_rows_have_another_sum(bench, total, source, text):
    other = bench.build(
        "dataset_type",
        source=bench.csvimport(text, "other.csv").dataset(),
        column2type={"a": "int64_10", "b": "unicode+None:utf-8"},
    ).dataset()
    assert total(other) != total(source)
    assert total(other, columns=["a"]) != total(other)


def test_a_dataset_without_rows_has_a_sum(bench, total):
    assert total(bench.table(b"a\n")) == int(blake3(b"").hexdigest(), 16)


@pytest.mark.parametrize("rows_held", [1 << 20, 70_000])
@pytest.mark.parametrize("sort", [True, False])
def test_batches_and_runs_change_nothing(bench, total, monkeypatch, rows_held, sort):
    monkeypatch.setattr("porcelain.methods.a_dataset_checksum.ROWS_HELD", rows_held)
    values = [b"%d" % (n * 7) for n in range(SLICES * 65_536 + 7)]
    found = total(bench.table(b"a\n" + b"\n".join(values) + b"\n"), sort=sort)
    if sort:
        assert found == sum_of([[value] for value in values], ["bytes"])
    else:
        digests = [blake3(row_form([value], ["bytes"])).digest() for value in values]
        in_order = b"".join(digest for first in range(SLICES) for digest in digests[first::SLICES])
        assert found == int(blake3(in_order).hexdigest(), 16)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"columns": ["zz"]}, "has no column 'zz'"), ({"source": None}, "no dataset is given as 'source'")],
)
@pytest.mark.parametrize("method", ["dataset_checksum", "dataset_checksum_chain"])
def test_what_is_not_there_has_no_sum(bench, source, method, arguments, error):
    with pytest.raises(JobFailed, match=error):
        bench.build(method, **{"source": source} | arguments)


# ---- chains


def test_the_sum_of_a_chain_is_that_of_the_sums(bench, total):
    first = bench.csvimport(b"a\n1\n", "1.csv").dataset()
    second = bench.csvimport(b"a\n2\n3\n", "2.csv", previous=first).dataset()

    def chained(*sums):
        return int(blake3(b"".join(each.to_bytes(32, "big") for each in sums)).hexdigest(), 16)

    result = bench.build("dataset_checksum_chain", source=second).load()
    assert result == {
        "sum": chained(total(first), total(second)),
        "sort": True,
        "columns": ["a"],
        "sources": [first, second],
    }
    assert bench.build("dataset_checksum_chain", source=second, chain_length=1).load().sum == chained(
        total(second)
    )
    stopped = bench.build("dataset_checksum_chain", source=second, stop=first).load()
    assert (stopped.sum, stopped.sources) == (chained(total(second)), [second])
