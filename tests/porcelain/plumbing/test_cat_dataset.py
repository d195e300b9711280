"""`acc cat-dataset`: every type in every format, order of rows, memory, and what is refused."""

import csv
import datetime
import io
import json
import math
import subprocess
import sys
from itertools import zip_longest

import pyarrow
import pytest

from porcelain.cli import main

UTC = datetime.UTC
DAY, MOMENT = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 23, 59, 59, 1)
VALUES = {
    "int64": [-(2**63), 2**63 - 1],
    "int32": [-(2**31), 7],
    "float64": [0.1, -math.inf],
    "float32": [0.5, math.inf],
    "number": [3, 2.5],
    "bool": [True, False],
    "date": [DAY, datetime.date(1, 1, 1)],
    "time": [datetime.time(1, 2, 3, 4), datetime.time(5, tzinfo=UTC)],
    "datetime": [MOMENT, datetime.datetime(1970, 1, 1, tzinfo=UTC)],
    "bytes": [b"a\xff,", b"\0"],
    "ascii": ["a,b", ""],
    "unicode": ['say "\u20ac"\n', "\u0130"],
    "json": [{"b": [1, None], "a": "\u00e4"}, None],
    "complex64": [1 + 2j, 3j],
}
JSON = {
    "int64": [-(2**63), 2**63 - 1],
    "int32": [-(2**31), 7],
    "float64": [0.1, "-inf"],
    "float32": [0.5, "inf"],
    "number": [3, 2.5],
    "bool": [True, False],
    "date": ["2024-02-29", "0001-01-01"],
    "time": ["01:02:03.000004", "05:00:00+00:00"],
    "datetime": ["2024-02-29T23:59:59.000001", "1970-01-01T00:00:00+00:00"],
    "bytes": ["a\udcff,", "\0"],
    "ascii": ["a,b", ""],
    "unicode": ['say "\u20ac"\n', "\u0130"],
    "json": [{"b": [1, None], "a": "\u00e4"}, None],
    "complex64": ["(1+2j)", "3j"],
}


END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


@pytest.fixture
def cat(project, capfdbinary):
    """A function that gives the bytes that are printed."""

    def run(*arguments: str) -> bytes:
        capfdbinary.readouterr()
        assert main(["cat-dataset", *arguments]) == 0
        return capfdbinary.readouterr().out

    return run


@pytest.fixture
def every_type(project):
    """A dataset of a column for each type, all of whose values lie in slice 1."""
    project.table({name: (name, [[], values]) for name, values in VALUES.items()})


def test_csv_holds_every_value_as_text(cat, every_type):
    text = cat("make").decode("utf-8", "surrogateescape")
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert head == sorted(VALUES)
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    for name in ("int64", "int32", "float64", "float32", "number", "bool", "date", "datetime", "complex64"):
        assert columns[name] == tuple(map(str, VALUES[name]))
    assert columns["bytes"] == ("a\udcff,", "\0")
    assert columns["unicode"] == tuple(VALUES["unicode"])
    assert columns["json"] == ('{"a": "\\u00e4", "b": [1, null]}', "null")


def test_json_is_an_object_a_line_with_exact_values(cat, every_type):
    lines = cat("make", "--format", "json").splitlines()
    assert [json.loads(line) for line in lines] == [
        dict(zip(JSON, row, strict=True)) for row in zip(*JSON.values(), strict=True)
    ]


def test_arrow_has_what_the_dataset_gives(cat, project):
    names = [name for name in VALUES if name not in ("datetime", "time")]
    project.table({name: (name, [VALUES[name], []]) for name in names})
    table = pyarrow.ipc.open_stream(cat("make", *names, "-f", "arrow")).read_all()
    assert [str(field.type) for field in table.schema][:6] == [
        *("int64", "int32", "double", "float", "double", "bool"),
    ]
    for name in ("int64", "int32", "float64", "float32", "number", "bool", "date", "bytes", "unicode"):
        assert table[name].to_pylist() == VALUES[name]
    assert list(map(json.loads, table["json"].to_pylist())) == VALUES["json"]


@pytest.mark.parametrize("kind", sorted(VALUES.keys() - {"json", "complex64"}))
def test_none_is_none_in_every_format(cat, project, kind):
    project.table({"x": (kind + "+None", [[VALUES[kind][0], None], []])})
    assert list(csv.reader(io.StringIO(cat("make").decode(errors="replace"))))[2] == ["None"]
    assert cat("make", "-f", "json").splitlines()[1] == b'{"x": null}'
    table = pyarrow.ipc.open_stream(cat("make", "-f", "arrow")).read_all()
    assert table["x"].is_null().to_pylist() == [False, True]


@pytest.fixture
def in_slices(project):
    project.table(
        {"n": ("int64", [[0, 3, 5], [], [1, 4], [2]]), "t": ("ascii", [["x"] * 3, [], ["y"] * 2, ["z"]])}
    )


def numbers(text: bytes) -> list[int]:
    return list(map(int, text.split()))


def test_rows_come_slice_by_slice_or_in_turn(cat, in_slices):
    assert numbers(cat("make", "n", "--no-header")) == [0, 3, 5, 1, 4, 2]
    assert numbers(cat("make", "n", "--no-header", "-r")) == [0, 1, 2, 3, 4, 5]
    assert numbers(cat("make", "n", "--no-header", "-s", "3", "-s", "0")) == [2, 0, 3, 5]
    assert numbers(cat("make", "n", "--no-header", "-r", "-s", "0", "-s", "2")) == [0, 1, 3, 4, 5]
    assert cat("make", "t", "n", "-s", "3") == b"t,n\nz,2\n"


def test_a_dataset_without_rows_is_a_header(cat, project):
    project.table({"n": ("int64", [[], []])})
    assert cat("make") == b"n\n"
    assert cat("make", "-f", "json") == b""
    stream = cat("make", "-f", "arrow")
    assert stream.endswith(END_OF_STREAM)
    assert pyarrow.ipc.open_stream(stream).read_all().num_rows == 0


def test_batches_of_different_columns_end_at_different_rows(cat, project):
    texts = ["t" * 100] * 65_530 + ["u" * 1_000] * 20_000
    project.table({"n": ("int64", [list(range(len(texts)))]), "t": ("unicode", [texts])})
    rows = csv.reader(io.StringIO(cat("make", "--no-header").decode()))
    for row, number, text in zip_longest(rows, range(len(texts)), texts):
        assert row == [str(number), text]


def test_what_has_no_form_is_refused_by_name(acc, project):
    project.table({"p": ("pickle", [[print]]), "c": ("complex64", [[1j]]), "n": ("number", [[2**70 + 1]])})
    assert acc("cat-dataset", "make") == (
        1,
        "",
        (
            "acc: column 'p' of 'dev-1/default' is pickle, which has no form outside of Python\n"
            "hint: name other columns: c, n\n"
        ),
    )
    assert acc("cat-dataset", "make", "n", "-r", "-f", "arrow")[::2] == (
        2,
        "acc cat-dataset: -r goes with csv and json\nhint: 'acc cat-dataset --help' says what it takes\n",
    )


def test_a_number_that_no_float_equals_is_refused_by_arrow_only(project, cat, capfdbinary):
    project.table({"n": ("number", [[1.5, 2**70 + 1, math.nan]])})
    assert main(["cat-dataset", "make", "-f", "arrow"]) == 1
    out, err = capfdbinary.readouterr()
    assert f"beside {2**70 + 1}, which float64 does not hold exactly" in err.decode()
    assert not out.endswith(END_OF_STREAM)
    assert cat("make", "-f", "json") == f'{{"n": 1.5}}\n{{"n": {2**70 + 1}}}\n{{"n": "nan"}}\n'.encode()


def test_a_column_or_slice_that_is_not_there_is_one_line(acc, in_slices):
    assert acc("cat-dataset", "make", "m")[::2] == (
        1,
        "acc: dataset 'dev-1/default' has no column 'm'\nhint: it has n, t\n",
    )
    assert acc("cat-dataset", "make", "-s", "4")[::2] == (
        1,
        "acc: dataset 'dev-1/default' has no slice 4\nhint: it has 4 slices\n",
    )


def test_without_pyarrow_the_error_says_what_to_install(acc, in_slices, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert acc("cat-dataset", "make", "-f", "arrow") == (
        1,
        "",
        "acc: pyarrow is not installed\nhint: pip install 'acc[arrow]' brings what Arrow and Parquet need\n",
    )


MEASURED = """
import resource, sys
from porcelain.cli import main
code = main(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.parametrize("form", ["csv", "json", "arrow"])
def test_memory_does_not_grow_with_the_number_of_rows(project, form):
    few = [list(range(65_536))]
    project.table({"n": ("int64", few)})
    project.table({"n": ("int64", [list(range(1_000_000))])})
    peaks = []
    for job in ("dev-1", "dev-2"):
        command = [sys.executable, "-c", MEASURED, "cat-dataset", job, "-f", form]
        done = subprocess.run(command, cwd=project.root, capture_output=True, check=True)
        code, peak = map(int, done.stderr.split())
        assert code == 0
        peaks.append(peak)
    # all rows together would take 30 MB more, in any form
    assert peaks[1] - peaks[0] < 8_000
