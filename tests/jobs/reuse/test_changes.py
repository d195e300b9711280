"""Where two values differ: every place of it, and both values in few words."""

from collections import OrderedDict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.reuse.changes import ABSENT, Change, changes, pair_in_words

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2) | st.floats(width=16),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, [("['a'][1]['b']", 2, 3)], id="nested"),
        pytest.param({"a": 1, "b": 2}, {"a": 5, "b": 6}, [("['a']", 1, 5), ("['b']", 2, 6)], id="two"),
        pytest.param({"a": None}, {}, [("['a']", None, ABSENT)], id="a key that goes"),
        pytest.param({}, {2: 0}, [("[2]", ABSENT, 0)], id="a key that comes"),
        pytest.param([1, 2, 3, 4], [1, 3, 4], [("[1:2]", [2], ABSENT)], id="an item that goes"),
        pytest.param([1, 2], [1, 7, 8, 2], [("[1:1]", ABSENT, [7, 8])], id="items that come"),
        pytest.param((1, 2), [1, 2], [("", (1, 2), [1, 2])], id="another type"),
        pytest.param([1], [1.0], [("[0]", 1, 1.0)], id="1 is not 1.0"),
        pytest.param({1, 2}, {1, 3}, [("", {1, 2}, {1, 3})], id="a small set"),
        pytest.param(set(range(9)), set(range(1, 9)), [("{...}", {0}, ABSENT)], id="a large set"),
        pytest.param(
            OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), [("", ["a", "b"], ["b", "a"])], id="another order"
        ),
    ],
)
def test_each_place_that_differs_is_named(before, after, found):
    assert list(changes(before, after)) == [Change(*each) for each in found]


def test_a_value_that_holds_itself_is_compared():
    one, other = [1], [1]
    one.append(one)
    other.append(other)
    assert list(changes(one, other)) == []


@given(VALUES, VALUES)
def test_there_is_a_change_if_and_only_if_the_values_differ(before, after):
    found = list(changes(before, after))
    assert bool(found) == (repr(before) != repr(after) and not same_items(before, after))
    assert len({change.place for change in found}) == len(found)


def same_items(before, after) -> bool:
    """Return whether two values differ in nothing but the order of dicts."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(same_items(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same_items, before, after))
    return repr(before) == repr(after)


def test_a_long_pair_shows_where_it_parts():
    before, after = pair_in_words("select " + "x" * 300 + " from a", "select " + "x" * 300 + " from b", 40)
    assert before != after
    assert max(len(before), len(after)) <= 40


@pytest.mark.parametrize("room", [12, 20, 60])
def test_words_keep_to_their_room(room):
    values = ["short", "y" * 200, list(range(100)), None]
    for pair in product(values, values):
        assert max(map(len, pair_in_words(*pair, room))) <= room


def test_a_set_is_told_in_one_order():
    assert pair_in_words({"b", "a", "c"}, set(), 40) == ("{'a', 'b', 'c'}", "set()")
