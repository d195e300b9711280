"""`acc grep`: what is found, in which order, how it is printed, and the exit code."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porcelain.commands import grep

DAYS = [["mon", "tue", "wed"], [], ["thu"], ["fri", "sat", None]]


@pytest.fixture
def days(project):
    """A dataset of two columns in four slices, one of them empty."""
    numbers = [[0, 1, 2], [], [3], [4, 5, 6]]
    return project.table({"day": ("ascii+None", DAYS), "n": ("int64", numbers)})


@pytest.fixture
def found(acc):
    """A function that gives the lines that are printed."""

    def run(*arguments: str) -> list[str]:
        code, out, err = acc("grep", *arguments)
        assert err == ""
        assert code == (0 if out else 1)
        return out.splitlines()

    return run


# ---- what is found


def test_rows_are_found_by_any_of_their_values(found, days):
    assert found("^t|6", "make") == ["tue\t1", "thu\t3", "None\t6"]
    assert found("e", "make", "day") == ["tue", "wed", "None"]
    assert found("[^0-9]", "make", "n") == []


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["T"], []),
        (["-i", "T"], ["tue\t1", "thu\t3", "sat\t5"]),
        (["-F", "."], []),
        (["-v", "[adeu4]"], ["mon\t0"]),
        (["-v", "[adeu4]", "-g", "day"], ["mon\t0", "fri\t4"]),
        (["-e", "fri", "-e", "mon"], ["mon\t0", "fri\t4"]),
        (["-N", ">4"], ["sat\t5", "None\t6"]),
        (["-N", "1:=3"], ["tue\t1", "wed\t2", "thu\t3"]),
        (["-g", "n", "u|3"], ["thu\t3"]),
        (["-s", "3", "-s", "0", "t"], ["sat\t5", "tue\t1"]),
        (["-m", "2", "t"], ["tue\t1", "thu\t3"]),
        (["-m", "0", "t"], []),
        (["-A", "1", "mon|fri"], ["mon\t0", "tue\t1", "fri\t4", "sat\t5"]),
        (["-B", "1", "wed|thu"], ["tue\t1", "wed\t2", "thu\t3"]),
        (["-C", "1", "sat"], ["fri\t4", "sat\t5", "None\t6"]),
        (["-C", "1", "-A", "0", "sat"], ["fri\t4", "sat\t5"]),
        (["-A", "1", "-m", "1", "mon|wed"], ["mon\t0", "tue\t1"]),
        (["-r", "."], ["mon\t0", "thu\t3", "fri\t4", "tue\t1", "sat\t5", "wed\t2", "None\t6"]),
    ],
    ids=" ".join,
)
def test_options_say_what_is_found(found, days, options, rows):
    words = ["make"] if "-e" in options else []
    assert found(*options, *(words or ["make"])) == rows


def test_a_literal_that_spans_two_rows_matches_none(found, project):
    project.table({"t": ("unicode", [["ab", "cd", "b\nc"]])})
    assert found("-F", "b\nc", "make") == ['"b', 'c"']


def test_rows_are_counted_in_their_slice_across_batches(found, project):
    texts = ["x"] * 65_535 + ["yes", "x", "yes"]
    project.table({"n": ("int64", [range(len(texts))]), "t": ("ascii", [texts])})
    assert found("-L", "-S", "yes", "make") == ["0\t65535\t65535\tyes", "0\t65537\t65537\tyes"]
    assert found("-C", "1", "-L", "yes", "make", "-g", "t", "-n", "n") == [
        f"{number}\t{number}" for number in range(65_534, 65_538)
    ]


def test_a_chain_is_read_oldest_first(found, project):
    first = project.table({"t": ("ascii", [["a1"], ["a2"]])})
    second = project.table({"t": ("ascii", [["a3"], ["a4"]])}, previous=first)
    project.table({"t": ("ascii", [["a5"], ["a6"]])}, previous=second)
    assert found("a", "make") == ["a5", "a6"]
    assert found("-c", "a", "make") == ["a1", "a2", "a3", "a4", "a5", "a6"]
    assert found("-c", "--cl", "2", "a", "make") == ["a3", "a4", "a5", "a6"]
    assert found("-c", "--stop-ds", "dev-2", "a", "make") == ["a5", "a6"]
    assert found("a", "dev-3", "dev-1") == ["a5", "a6", "a1", "a2"]


def test_columns_that_some_datasets_lack_must_be_allowed_to(found, acc, project):
    project.table({"a": ("ascii", [["x1"]])})
    project.table({"b": ("ascii", [["x2"]])})
    assert acc("grep", "x", "dev-1", "dev-2", "a")[::2] == (
        2,
        "acc: dataset 'dev-2/default' has no column 'a'\nhint: it has b\n",
    )
    assert found("-M", "x", "dev-1", "dev-2", "a") == ["x1"]
    assert found("-MHD", "x", "-d", "dev-1", "-d", "dev-2", "a", "b") == [
        *("[DATASET]\ta", "dev-1/default\tx1"),
        *("[DATASET]\tb", "dev-2/default\tx2"),
    ]


def test_of_rows_with_equal_values_only_the_first_is_shown(found, project):
    project.table({"a": ("ascii", [["x", "X", "y"], ["x", "y"]]), "n": ("int64", [[1, 2, 3], [4, 3]])})
    assert found("-u", "a", "--", "x|y", "make") == ["x\t1", "y\t3"]
    assert found("x|y", "make", "-u") == ["x\t1", "y\t3", "x\t4"]
    assert found("-i", "x|y", "make", "-u", "a") == ["x\t1", "y\t3"]
    assert found("x|y", "make", "-u", "-m", "2") == ["x\t1", "y\t3"]


# ---- how it is printed


@pytest.fixture
def odd(project):
    return project.table(
        {
            "b": ("bytes", [[b"a\xff", b"c"]]),
            "j": ("json", [[{"k": [1]}, None]]),
            "t": ("unicode", [['say "x"\t', '"x"']]),
        }
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], b'c\tnull\t"""x"""\n'),
        (["-f", "raw"], b'c\tnull\t"x"\n'),
        (["-t", ","], b'c,null,"""x"""\n'),
        (["-T", "4"], b'c   null    "x"\n'),
        (["-T", "/"], b'c               null            "x"\n'),
        (["-T", "1/5/2"], b'c    null  "x"\n'),
        (["-f", "json"], b'{"b": "c", "j": null, "t": "\\"x\\""}\n'),
        (
            ["-f", "json", "-D", "-S", "-L", "-n", "b"],
            b'{"dataset": "dev-1/default", "sliceno": 0, "lineno": 1, "data": {"b": "c"}}\n',
        ),
        (["-f", "json", "-o"], b'{"b": "c", "j": "", "t": ""}\n'),
        (["-f", "json", "-o", "-l"], b'{"b": "c"}\n'),
        (["-o"], b"c\t\t\n"),
        (["-o", "-l"], b"c\t\t\n"),
        (["-H", "-S", "-L", "-n", "b"], b"[SLICE]\t[LINE]\tb\n0\t1\tc\n"),
        (["--color", "always"], b'\x1b[1;31mc\x1b[0m\tnull\t"""x"""\n'),
    ],
    ids=repr,
)
def test_a_line_is_made_as_the_options_say(project, odd, capfdbinary, options, line):
    from porcelain.cli import main

    capfdbinary.readouterr()
    assert main(["grep", "^c$", "make", *options]) == 0
    assert capfdbinary.readouterr().out == line


def test_bytes_that_are_no_text_come_as_they_are(project, odd, capfdbinary):
    from porcelain.cli import main

    capfdbinary.readouterr()
    assert main(["grep", "a", "make"]) == 0
    assert capfdbinary.readouterr().out == b'a\xff\t{"k": [1]}\t"say ""x""\t"\n'


def test_datasets_slices_or_counts_alone(found, days, project):
    project.table({"day": ("ascii", [["tue"], ["x"]])})
    assert found("-l", "t", "dev-1", "dev-2") == ["dev-1/default", "dev-2/default"]
    assert found("-l", "-S", "t", "dev-1") == ["dev-1/default\t0", "dev-1/default\t2", "dev-1/default\t3"]
    assert found("-l", "-m", "1", "t", "dev-1", "dev-2") == ["dev-1/default"]
    assert found("-l", "-f", "json", "x", "dev-1", "dev-2") == ['{"dataset": "dev-2/default"}']
    assert found("--count", "t", "dev-1") == ["3"]
    assert found("--count", "t", "dev-1", "dev-2") == ["dev-1/default\t3", "dev-2/default\t1"]
    assert [json.loads(line) for line in found("--count", "-S", "-f", "json", "t", "dev-2")] == [
        {"dataset": "dev-2/default", "sliceno": 0, "count": 1},
        {"dataset": "dev-2/default", "sliceno": 1, "count": 0},
    ]


# ---- in processes


@given(
    parts=st.lists(st.lists(st.text("ab\n", max_size=3), max_size=5), min_size=1, max_size=5),
    before=st.integers(0, 2),
    limit=st.integers(0, 4),
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_processes_print_what_one_prints(acc, project, monkeypatch, parts, before, limit):
    row = project.table({"t": ("unicode", parts)})
    for option in (["-B", str(before)], ["-m", str(limit)], ["--count"], ["-l", "-S"]):
        printed = []
        for most in (1_000_000, 0):
            monkeypatch.setattr(grep, "_MANY_ROWS", most)
            monkeypatch.setattr(grep, "usable_cores", lambda: 3)
            printed.append(acc("grep", "a", row.label, *option))
        assert printed[0] == printed[1]


def test_an_error_in_a_process_is_one_line(acc, project, monkeypatch):
    monkeypatch.setattr(grep, "_MANY_ROWS", 0)
    monkeypatch.setattr(grep, "usable_cores", lambda: 2)
    project.job("bad", made={"default": project.dataset()})
    code, _, err = acc("grep", "a", "bad")
    assert (code, err) == (2, "acc: an object that is no column slice, or one of a later format\n")


# ---- what is wrong


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a PATTERN and a SPEC"),
        (["x"], "give a SPEC: which dataset to look in"),
        (["(", "make"], "bad pattern: missing ), unterminated subpattern at position 0"),
        (["-N", "x", "make"], "bad pattern: 'x' is no number"),
        (["-N", "-F", "3", "make"], "--numeric does not go with --fixed-strings"),
        (["--count", "-l", "3", "make"], "--count does not go with --list-matching"),
        (["-T", "0", "3", "make"], "'0' is not TAB/FIELD/MIN"),
        (["-T", "1/x", "3", "make"], "'1/x' is not TAB/FIELD/MIN"),
        (["x", "nosuch"], "no job 'nosuch'"),
        (["x", "make", "-s", "9"], "dataset 'dev-1/default' has no slice 9"),
        (["x", "make", "nosuch"], "dataset 'dev-1/default' has no column 'nosuch'"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(acc, days, arguments, said):
    code, out, err = acc("grep", *arguments)
    assert (code, out) == (2, "")
    assert said in err
