"""The nodes of a dataset: what they hold, what they refuse, and bytes that stay what they are."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cas.errors import NotANode
from cas.formats.canonical import dumps, loads
from cas.formats.node import decode, encode, read_envelope
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of
from jobs.dataset.head import (
    EARLIER,
    ColumnNode,
    ColumnSlice,
    DatasetColumn,
    DatasetHead,
    DatasetRef,
    place_after,
    walk_previous,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "dataset"


def oid(name: str) -> ObjectId:
    return oid_of(name.encode())


COLUMN = ColumnNode(
    type="datetime",
    none_support=True,
    min=datetime.datetime(2013, 1, 1, 5, 15),
    max=datetime.datetime(2013, 3, 31, tzinfo=datetime.UTC),
    slices=(ColumnSlice(oid("slice 0"), 3, 120), ColumnSlice(oid("slice 1"), 0, 45)),
)
HEAD = DatasetHead(
    columns={
        "when": DatasetColumn.of("when", COLUMN, oid("column")),
        "delay": DatasetColumn(
            "delay", "float64", none_support=False, min=-0.5, max=2.0**60, node=oid("delay")
        ),
        "": DatasetColumn("", "unicode", none_support=False, min=None, max=None, node=oid("nameless")),
    },
    lines=(3, 0),
    hashlabel="delay",
    filename="flights-2013-02.csv",
    caption="February",
    previous=DatasetRef(oid("january"), "default"),
    parents=(DatasetRef(oid("imported"), "default"),),
    depth=1,
)
SIXTY_FOURTH = DatasetHead(
    columns={},
    lines=(),
    previous=DatasetRef(oid("63"), "default"),
    depth=64,
    earlier=tuple(DatasetRef(oid(str(number)), "default") for number in range(63, -1, -1)),
)
NODES: dict[str, Any] = {"column": COLUMN, "head": HEAD, "sixty-fourth": SIXTY_FOURTH}


@pytest.mark.parametrize("name", NODES)
def test_a_node_has_the_bytes_it_always_had(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes()
    assert encode(NODES[name]) == data
    assert decode(data, type(NODES[name])) == NODES[name]


def test_columns_keep_their_order() -> None:
    assert list(decode(encode(HEAD), DatasetHead).columns) == ["when", "delay", ""]


def test_a_column_links_to_its_slices_and_a_head_to_nodes_alone() -> None:
    column, head = read_envelope(encode(COLUMN)), read_envelope(encode(HEAD))
    assert set(column.blobs) == {oid("slice 0"), oid("slice 1")}
    assert column.nodes == head.blobs == ()
    assert set(head.nodes) == {oid(name) for name in ("column", "delay", "nameless", "january", "imported")}
    assert len(read_envelope(encode(SIXTY_FOURTH)).nodes) == 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines", [-1, 0]),
        ("lines", ["3", 0]),
        ("lines", 3),
        ("hashlabel", "when else"),
        ("columns", {}),
        ("depth", 0),
        ("depth", 64),
        ("previous", None),
        ("earlier", [[oid("january"), "default"]]),
        ("caption", 7),
    ],
)
def test_a_head_with_a_wrong_field_is_refused(field: str, value: Any) -> None:
    fields = loads(encode(HEAD))
    assert isinstance(fields, dict)
    fields[field] = value
    with pytest.raises(NotANode):
        decode(dumps(fields), DatasetHead)


def test_two_columns_of_one_name_are_refused() -> None:
    fields: Any = loads(encode(HEAD))
    fields["columns"][1]["name"] = "when"
    fields["hashlabel"] = "when"
    with pytest.raises(NotANode, match="two columns of one name"):
        decode(dumps(fields), DatasetHead)


@pytest.mark.parametrize(
    ("field", "value"), [("type", None), ("none_support", 1), ("slices", [[oid("x"), 1]])]
)
def test_a_column_with_a_wrong_field_is_refused(field: str, value: Any) -> None:
    fields = loads(encode(COLUMN))
    assert isinstance(fields, dict)
    fields[field] = value
    with pytest.raises(NotANode):
        decode(dumps(fields), ColumnNode)


def test_every_sixty_fourth_names_the_ones_before_it(store: MemoryStore) -> None:
    refs: list[DatasetRef] = []
    for number in range(2 * EARLIER + 2):
        place = place_after(store, refs[-1] if refs else None)
        head = DatasetHead({}, (), None, None, None, *_fields(place))
        assert head.depth == number
        assert len(head.earlier) == (EARLIER if number in (EARLIER, 2 * EARLIER) else 0)
        assert head.earlier in ((), tuple(refs[: -EARLIER - 1 : -1]))
        refs.append(DatasetRef(store.put(encode(head)), str(number)))
    newest = decode(store.get(refs[-1].node), DatasetHead)
    walked = walk_previous(newest, lambda ref: decode(store.get(ref.node), DatasetHead))
    assert list(walked) == refs[-2::-1]


def _fields(place: Any) -> tuple[Any, ...]:
    return place.previous, (), place.depth, place.earlier


def test_equal_heads_have_equal_bytes() -> None:
    assert encode(replace(HEAD)) == encode(HEAD)
    assert encode(replace(HEAD, caption="March")) != encode(HEAD)


def test_bounds_that_no_value_of_the_type_can_be_make_it_no_node() -> None:
    column = replace(HEAD.columns["delay"], min="a", max="b")
    for made in (replace(HEAD, columns={"delay": column}), replace(COLUMN, min="a", max="b")):
        with pytest.raises(NotANode, match="a bound of type 'str'"):
            decode(encode(made), type(made))
