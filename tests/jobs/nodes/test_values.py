"""What a method sees of an option is what its key says of it."""

import pathlib
from collections import Counter, OrderedDict, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.formats.canonical import dumps, tag, untag
from jobs.method.options import InputPath
from jobs.nodes.values import DotDict, as_held
from tests.strategies import values


class Text(str):
    __slots__ = ()


class Number(int):
    def __add__(self, other: int) -> int:
        return 42


ODD = [
    np.float32(0.1),
    np.int8(100),
    np.bool_(True),
    np.str_("x"),
    np.datetime64("2020-01-01"),
    Text("x"),
    Number(1),
    pathlib.PurePosixPath("a/b"),
    defaultdict(list, {"b": 1, "a": 2}),
    Counter("bba"),
    [Text("x"), {"k": np.int8(1)}],
    {Text("k"): (Number(1),)},
    {np.int64(1): {Number(2)}},
    OrderedDict(b={"z": 1, "a": Text("x")}, a=1),
]


def exactly(value: Any) -> Any:
    """Return `value` with its types and order."""
    if isinstance(value, dict):
        return type(value), [(exactly(key), exactly(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [exactly(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(exactly(item)) for item in value)
    return type(value), repr(value)


@pytest.mark.parametrize("odd", ODD, ids=[f"{type(value).__name__}-{n}" for n, value in enumerate(ODD)])
def test_what_counts_as_a_builtin_is_one_to_the_method(odd: object) -> None:
    assert exactly(as_held(odd)) == exactly(as_held(untag(tag(odd))))
    assert dumps(tag(as_held(odd))) == dumps(tag(odd))


@given(st.recursive(st.one_of(values, st.sampled_from(ODD)), lambda inner: st.lists(inner, max_size=3)))
def test_two_values_of_one_key_are_the_same_to_a_method(value: object) -> None:
    held = as_held(value)
    assert exactly(held) == exactly(as_held(untag(tag(value))))
    assert exactly(as_held(held)) == exactly(held)
    assert dumps(tag(held)) == dumps(tag(value))


def test_the_order_of_a_plain_dict_does_not_show() -> None:
    assert list(as_held({"b": 1, "a": 2})) == ["a", "b"]
    assert list(as_held(OrderedDict(x={"b": 1, "a": 2}))["x"]) == ["a", "b"]
    assert list(as_held(OrderedDict(b=1, a=2))) == ["b", "a"]


def test_files_and_dot_dicts_stay_what_they_are() -> None:
    file = InputPath("x", pathlib.Path("/x"), "0" * 64)
    assert as_held([file])[0] is file
    assert type(as_held(DotDict(a=1))) is DotDict
