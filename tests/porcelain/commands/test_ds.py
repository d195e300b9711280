"""`acc ds`: columns with sizes and origin, slices, chains, lists, first rows, and what is no dataset."""

import json

import pytest

from cas.formats.node import get_node
from jobs.dataset.head import ColumnNode, DatasetHead, DatasetRef


@pytest.fixture
def view(acc):
    """A function that returns what `--json` prints."""

    def run(*arguments):
        code, out, _ = acc("ds", "--json", *arguments)
        assert code == 0
        return json.loads(out)

    return run


@pytest.fixture
def chain(project):
    """Three datasets in a chain; the second has no lines."""
    first = project.table({"n": ("int64", [[1, 2, 3], []]), "t": ("ascii", [["a"] * 3, []])})
    second = project.table({"n": ("int64", [[], []])}, previous=first)
    return project.table(
        {"n": ("int64", [[-4], [9, 8]]), "t": ("ascii", [["x"], ["y", "z"]])}, previous=second
    )


def test_a_dataset_is_shown_with_its_columns_and_their_sizes(acc, project):
    project.table({"n": ("int64", [range(1000), range(500)])})
    code, out, _ = acc("ds", "make")
    lines = out.splitlines()
    assert code == 0
    assert lines[:2] == ["dev-1/default  make", "lines  1,500 in 2 slices of 500 to 1,000"]
    assert lines[2].startswith("size   ")
    assert lines[4].split() == ["column", "type", "min", "max", "raw", "stored"]
    assert lines[5].split()[:4] == ["n", "int64", "0", "999"]


def test_sizes_are_those_of_the_objects(view, project):
    row = project.table({"t": ("ascii", [["abc"] * 10_000, ["abc"] * 10_000, []])})
    head = get_node(project.store, project.resolver.outcome(row).datasets["default"], DatasetHead)
    parts = get_node(project.store, head.columns["t"].node, ColumnNode).slices
    (column,) = view("make")["columns"]
    assert column["raw_bytes"] == sum(project.store.size_of(part.blob) for part in parts)
    # two equal slices are one object
    assert column["stored_bytes"] == sum(
        project.store.sizes_of(blob).stored_bytes for blob in {part.blob for part in parts}
    )


def test_what_a_lost_object_took_is_not_known(acc, project):
    row = project.table({"n": ("int64", [[1]])})
    head = get_node(project.store, project.resolver.outcome(row).datasets["default"], DatasetHead)
    (part,) = get_node(project.store, head.columns["n"].node, ColumnNode).slices
    project.store.delete(part.blob)
    assert acc("ds", "make")[1].splitlines()[-1].split()[-1] == "-"


def test_a_chain_is_listed_and_widens_what_columns_hold(acc, view, chain):
    shown = view("-c", "make")
    assert [(link["dataset"], link["lines"]) for link in shown["links"]] == [
        ("dev-1/default", 3),
        ("dev-2/default", 0),
        ("dev-3/default", 3),
    ]
    assert (shown["columns"][0]["min"], shown["columns"][0]["max"]) == (-4, 9)
    assert [link["dataset"] for link in view("-C", "dev-2")["links"]] == ["dev-1/default"]
    assert view("dev-2")["columns"][0]["max"] is None
    assert view("-S", "dev-2")["columns"][0]["max"] == 3
    assert acc("ds", "-nc", "make")[1].splitlines()[-1] == "3 datasets, 6 lines"
    assert "type" not in acc("ds", "-nc", "make")[1]


def test_slices_come_by_their_length_and_say_how_uneven_they_are(acc, chain):
    lines = acc("ds", "-s", "make")[1].splitlines()
    assert [line.split() for line in lines[-4:-1]] == [
        ["slice", "lines", "share"],
        ["1", "2", "66.67%"],
        ["0", "1", "33.33%"],
    ]
    assert lines[-1] == "the longest has 1.333 times the average"
    lines = acc("ds", "-S", "make")[1].splitlines()
    assert [line.split()[:2] for line in lines[-3:-1]] == [["0", "4"], ["1", "2"]]
    assert "longest" not in acc("ds", "-s", "dev-2")[1]


def test_a_column_of_a_parent_is_from_there_whatever_its_name(acc, view, project):
    base = project.table({"a": ("int64", [[1]]), "b": ("int64", [[2]])})
    ref = DatasetRef(project.resolver.outcome(base).datasets["default"], "default")
    head = get_node(project.store, ref.node, DatasetHead)
    own = project.table({"c": ("int64", [[3]])})
    mine = get_node(project.store, project.resolver.outcome(own).datasets["default"], DatasetHead).columns[
        "c"
    ]
    columns = {"a": head.columns["a"], "z": head.columns["b"], "c": mine}
    columns = {name: type(column)(name, *_rest(column)) for name, column in columns.items()}
    middle = project.job("link", made={"default": DatasetHead(columns, (1,), parents=(ref,))})
    ref = DatasetRef(project.resolver.outcome(middle).datasets["default"], "default")
    project.job("more", made={"default": DatasetHead(columns, (1,), parents=(ref,))})
    origins = {column["name"]: column["from"] for column in view("-w", "more")["columns"]}
    assert origins == {
        "a": {"dataset": "dev-1/default", "column": "a"},
        "z": {"dataset": "dev-1/default", "column": "b"},
        "c": {"dataset": "dev-3/default", "column": "c"},
    }
    lines = acc("ds", "-wm", "link")[1].splitlines()[-3:]
    assert [line.split()[-1] for line in lines] == ["dev-1/default", "b", "here"]


def _rest(column):
    return column.type, column.none_support, column.min, column.max, column.node


def test_min_and_max_can_be_left_out(acc, chain):
    assert acc("ds", "-m", "make")[1].splitlines()[-3].split() == ["column", "type", "raw", "stored"]


def test_the_datasets_of_a_job_are_listed(acc, view, project, chain):
    assert view("-l", "make") == {"job": "dev-3", "datasets": [{"dataset": "dev-3/default", "lines": 3}]}
    assert view("-L", "make")["datasets"][0]["lines"] == 6
    assert acc("ds", "-l", "dev-1", "dev-2")[1] == "dev-1\n  dev-1/default  3\n\ndev-2\n  dev-2/default  0\n"


def test_several_datasets_and_what_is_none(acc, view, chain):
    assert [shown["dataset"] for shown in view("dev-1", "dev-2")] == ["dev-1/default", "dev-2/default"]
    code, out, err = acc("ds", "-n", "dev-1", "nosuch", "dev-2")
    assert code == 1
    assert [line.split()[0] for line in out.splitlines() if line.startswith("dev")] == [
        "dev-1/default",
        "dev-2/default",
    ]
    assert err.startswith("acc: no job 'nosuch'\n")
    code, _, err = acc("ds", "-n", "-q", "dev-1", "nosuch")
    assert (code, err) == (0, "")


def test_the_first_rows_come_one_of_each_slice_in_turn(acc, view, chain):
    assert acc("ds", "-n", "-r", "2", "make")[1].splitlines()[-3:] == ["n   t", "-4  x", "9   y"]
    assert view("-r", "9", "make")["rows"] == [[-4, "x"], [9, "y"], [8, "z"]]
