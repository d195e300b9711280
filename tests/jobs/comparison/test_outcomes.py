"""Two outcomes beside each other: each thing that differs is named, with its place."""

import json
import pickle
from dataclasses import replace

import pytest

from cas.formats.node import put_node
from cas.oid import ObjectId
from jobs.column.slice import SliceWriter
from jobs.comparison.outcomes import SAME_VALUE, SAME_VALUES, UNFINISHED, Patience, compare_outcomes
from jobs.dataset.head import (
    ColumnNode,
    ColumnSlice,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    largest,
    smallest,
)
from jobs.nodes.outcome import FileEntry, Inputs, Outcome

NOTHING = Outcome("m", 2, Inputs({"n": 1}), {}, {})


@pytest.fixture
def make(store):
    """Make outcomes with files (bytes by name) and one dataset (type and slices by column)."""

    def make(files=(), columns=None, **head):
        entries = {name: FileEntry(store.put(data), len(data)) for name, data in dict(files).items()}
        datasets = {} if columns is None else {"default": put_node(store, _head(store, columns, **head))}
        return replace(NOTHING, files=entries, datasets=datasets)

    return make


def _head(store, columns, **head):
    nodes = {name: _column(store, *column) for name, column in columns.items()}
    lines = next((tuple(map(len, slices)) for _, slices in columns.values()), (0, 0))
    entries = {name: DatasetColumn.of(name, node, put_node(store, node)) for name, node in nodes.items()}
    return DatasetHead(entries, lines, **head)


def _column(store, column_type, slices):
    parts = []
    for values in slices:
        writer = SliceWriter(column_type, store.writer(), none_support=True)
        writer.extend(values)
        parts.append(writer.finish())
    low, high = smallest(part.min for part in parts), largest(part.max for part in parts)
    return ColumnNode(column_type, True, low, high, tuple(ColumnSlice(*part[:3]) for part in parts))


def only(differences):
    """Return the one difference that there is."""
    (difference,) = differences
    return difference


def test_equal_outcomes_do_not_differ(store, make):
    one = make({"f": b"x"}, {"a": ("int64", [[1], [2]])})
    assert compare_outcomes(store, one, make({"f": b"x"}, {"a": ("int64", [[1], [2]])})) == []


def test_options_and_inputs_are_compared_by_name(store):
    before = replace(NOTHING, inputs=Inputs({"n": 1, "gone": 2, "same": 3}, {"source": None}))
    after = replace(
        NOTHING,
        inputs=Inputs(
            {"n": True, "new": 2, "same": 3}, {"source": {"$dataset": {"name": "d", "node": "ab"}}}
        ),
    )
    found = {
        (each.kind, each.name): (each.what, each.before, each.after)
        for each in compare_outcomes(store, before, after)
    }
    assert found == {
        ("option", "gone"): ("missing", "2", ""),
        ("option", "n"): ("another value", "1", "True"),
        ("option", "new"): ("new", "", "2"),
        ("input", "source"): ("another value", "None", "dataset 'd' ab"),
    }


def test_a_file_that_is_missing_and_one_that_is_new(store, make):
    found = compare_outcomes(store, make({"old": b""}), make({"new": b""}))
    assert [(each.name, each.what) for each in found] == [("new", "new"), ("old", "missing")]


@pytest.mark.parametrize("start", [0, (1 << 20) - 1, 3 << 20], ids=["first", "end of a piece", "later piece"])
def test_the_first_byte_that_differs_is_named(store, make, start):
    same = b"\0" * start
    found = only(compare_outcomes(store, make({"f": same + b"\0\1\0"}), make({"f": same + b"\0\2\1"})))
    assert (found.what, found.before) == (f"byte {start + 1} differs", "")
    assert not found.same_value


def test_of_a_text_the_line_that_differs_is_shown(store, make):
    found = only(compare_outcomes(store, make({"f": b"a\nb,1\nc\n"}), make({"f": b"a\nb,22\nc\n"})))
    assert (found.what, found.before, found.after) == (
        "9 bytes, was 8; byte 4 differs, in line 2",
        "b,1",
        "b,22",
    )


def test_a_file_that_goes_on_longer_differs_at_the_others_end(store, make):
    assert "byte 2 differs" in only(compare_outcomes(store, make({"f": b"ab"}), make({"f": b"abc"}))).what


def test_a_pickle_is_told_by_its_value(store, make):
    found = only(
        compare_outcomes(store, *(make({"result.pickle": pickle.dumps({"a": n}, 4)}) for n in (1, 2)))
    )
    assert (found.what, found.before, found.after) == ("another value at ['a']", "1", "2")


def test_the_same_value_in_other_bytes_is_told_apart(store, make):
    one, other = ({"result.pickle": pickle.dumps(each, 4)} for each in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    found = only(compare_outcomes(store, make(one), make(other)))
    assert (found.what, found.same_value) == (SAME_VALUE, True)


def test_json_in_another_order_is_the_same_value(store, make):
    one, other = ({"x.json": json.dumps(each).encode()} for each in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert only(compare_outcomes(store, make(one), make(other))).same_value


def test_a_json_file_that_is_none_is_told_by_its_bytes(store, make):
    assert only(compare_outcomes(store, make({"x.json": b"{"}), make({"x.json": b"["}))).what.startswith(
        "byte 0"
    )


def test_datasets_missing_new_and_in_another_order(store):
    heads = {name: put_node(store, _head(store, {"a": ("int64", [[1], []])})) for name in ("x", "y")}
    one = replace(NOTHING, datasets=heads)
    found = compare_outcomes(store, one, replace(NOTHING, datasets={"y": heads["y"], "z": heads["x"]}))
    assert [(each.name, each.what) for each in found] == [("x", "missing"), ("z", "new")]
    turned = replace(NOTHING, datasets=dict(reversed(heads.items())))
    assert only(compare_outcomes(store, one, turned)).what == "finished in another order"


ROWS = [list(range(70_000)), [7]]


def test_the_first_row_that_differs_is_named_with_both_values(store, make):
    changed = [ROWS[0].copy(), [8]]
    changed[0][66_000] = 1
    changed[0][67_000] = 2
    found = only(
        compare_outcomes(store, make(columns={"a": ("int64", ROWS)}), make(columns={"a": ("int64", changed)}))
    )
    assert (found.kind, found.name, found.column, found.sliceno, found.row) == (
        "column",
        "default",
        "a",
        0,
        66_000,
    )
    assert (found.before, found.after) == ("66000", "1")


VALUES = {
    "number": (1, 1.0),
    "float64": (0.0, -0.0),
    "unicode": ("a", None),
    "json": ({"a": 1}, {"a": 2}),
    "pickle": ({"a": 1}, {"a": 2}),
    "bytes": (b"a", b"b"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_any_type_is_shown(store, make, name):
    before, after = (make(columns={"a": (name, [[value], []])}) for value in VALUES[name])
    found = next(each for each in compare_outcomes(store, before, after) if each.row is not None)
    assert found.row == 0
    assert found.before != found.after


def test_a_column_of_equal_pickles_in_other_bytes_is_told_apart(store, make):
    before, after = (
        make(columns={"a": ("pickle", [[], [value]])}) for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    found = only(compare_outcomes(store, before, after))
    assert (found.what, found.column, found.sliceno, found.same_value) == (SAME_VALUES, "a", 1, True)


def test_columns_missing_new_of_another_type_and_in_another_order(store, make):
    before = make(columns={"a": ("int64", [[1], []]), "b": ("int64", [[1], []]), "c": ("int64", [[1], []])})
    after = make(columns={"a": ("int32", [[1], []]), "b": ("int64", [[1], []]), "d": ("int64", [[1], []])})
    found = compare_outcomes(store, before, after)
    assert [(each.column, each.what) for each in found] == [
        ("a", "another type"),
        ("c", "missing"),
        ("d", "new"),
    ]
    turned = make(columns={name: ("int64", [[1], []]) for name in "bca"})
    assert only(compare_outcomes(store, before, turned)).what == "columns in another order"


def test_other_lines_are_told_and_the_rows_that_both_have_compared(store, make):
    before, after = (make(columns={"a": ("int64", slices)}) for slices in ([[1, 2], [3]], [[1], [2, 3]]))
    found = compare_outcomes(store, before, after)
    assert [each.what for each in found] == ["other lines per slice", "slice 1, row 0 differs"]
    assert (found[0].before, found[0].after) == ("2, 1", "1, 2")


HEADS = {
    "hashlabel": "a",
    "filename": "x.csv",
    "caption": "better",
    "parents": (DatasetRef(ObjectId("ab" * 32), "default"),),
}


@pytest.mark.parametrize("field", HEADS)
def test_what_a_dataset_says_of_itself_is_compared(store, make, field):
    columns = {"a": ("int64", [[1], [2]])}
    found = only(
        compare_outcomes(store, make(columns=columns), make(columns=columns, **{field: HEADS[field]}))
    )
    assert found.what.endswith(f"other {field}")
    assert found.before == "none"


def test_what_takes_too_long_is_said_to_differ_and_not_how(store, make):
    rows = {"a": ("int64", [[1, 2], [3]])}, {"a": ("int64", [[1, 2], [4]])}
    before, after = (make({"f.json": b"[%d]" % n}, columns) for n, columns in enumerate(rows))
    found = compare_outcomes(store, before, after, Patience(lambda: True, 1 << 20))
    assert {(each.kind, each.what) for each in found if not each.what.startswith("another")} == {
        ("file", UNFINISHED),
        ("column", UNFINISHED),
    }
    small = compare_outcomes(store, before, after, Patience(lambda: False, 2))
    assert "byte 1 differs" in small[0].what
