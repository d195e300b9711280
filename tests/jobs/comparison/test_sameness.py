"""Values beside each other, and pickles that are read without what they name."""

import datetime
import pickle
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given

from cas.formats.canonical import dumps
from jobs.comparison.sameness import Unreadable, find_difference, is_same, read_pickle, show
from jobs.nodes.references import to_structure
from jobs.nodes.values import DotDict, to_pickle
from tests.strategies import values

NAN = float("nan")
BEGIN = datetime.datetime(2020, 1, 1)
SAME = {
    "nan": (NAN, float("nan")),
    "dicts of other order": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "sets": ({1, "a"}, {"a", 1}),
    "nested": ([{"a": (1, NAN)}], [{"a": (1, float("nan"))}]),
}
DIFFERENT = {
    "type of a number": ([1], [1.0], "[0]"),
    "truth": ({"a": 1}, {"a": True}, "['a']"),
    "sign of zero": (0.0, -0.0, ""),
    "sign of an imaginary zero": (1 + 0j, complex(1, -0.0), ""),
    "length": ([1], [1, 2], "[1]"),
    "key": ({"a": 1}, {"b": 1}, "['a']"),
    "list and tuple": ([[1]], [(1,)], "[0]"),
    "fold": (BEGIN, BEGIN.replace(fold=1), ""),
    "zone": (BEGIN, BEGIN.replace(tzinfo=datetime.UTC), ""),
    "true in a set": ({1}, {True}, ""),
    "deep": ({"a": [0, {"b": (1, 2)}]}, {"a": [0, {"b": (1, 3)}]}, "['a'][1]['b'][1]"),
    "a long text": ("x" * 100 + "a", "x" * 100 + "b", "[80:]"),
}


class Thing:
    """Something of a user's."""

    def __init__(self, **state: object) -> None:
        self.__dict__.update(state)


class Slotted:
    """Something of a user's, with slots."""

    __slots__ = ("a",)


def _unpickled(value):
    return read_pickle(pickle.dumps(value, 4))


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_same_values_have_no_difference(pair):
    assert is_same(*pair)
    assert is_same(*map(_unpickled, pair))


@pytest.mark.parametrize("case", DIFFERENT.values(), ids=DIFFERENT)
def test_the_first_place_that_differs_is_named(case):
    before, after, place = case
    found = find_difference(before, after)
    assert found is not None
    assert found.place == place
    assert found.before != found.after


def test_values_nested_deeper_than_python_calls_itself_are_compared():
    def nested(core):
        for _ in range(10_000):
            core = [core]
        return core

    assert is_same(nested(1), nested(1))
    assert find_difference(nested(1), nested(2)).after == "2"


def test_values_that_hold_themselves_are_compared():
    one, other = [1], [1]
    one.append(one)
    other.append(other)
    assert is_same(one, other)


PICKLED = {
    "array": (np.arange(3), np.array([0, 1, 4])),
    "object": (Thing(a=1), Thing(a=2)),
    "object in a set": ({BEGIN}, {BEGIN.replace(fold=1)}),
    "dates as keys": ({BEGIN: 1}, {BEGIN: 2}),
    "ordered dict": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "defaultdict": (defaultdict(int, a=1), defaultdict(int, a=2)),
    "dotdict": (DotDict(a=1), DotDict(a=2)),
    "class": (Thing, Slotted),
    "shared": ([[1], [1]], [[1], [2]]),
}


@pytest.mark.parametrize("pair", PICKLED.values(), ids=PICKLED)
def test_what_pickles_name_is_compared_by_its_parts(pair):
    before, after = map(_unpickled, pair)
    assert is_same(before, _unpickled(pair[0]))
    assert not is_same(before, after)


def test_a_pickle_that_shares_a_part_holds_the_same_value_as_one_with_two():
    part = ["x"]
    shared, apart = pickle.dumps([part, part], 4), pickle.dumps([["x"], ["x"]], 4)
    assert shared != apart
    assert is_same(read_pickle(shared), read_pickle(apart))


def test_nothing_that_a_pickle_names_is_imported_or_called():
    value = read_pickle(b"cno_such_module\nboom\n(S'rm'\ntR.")
    assert show(value) == "no_such_module.boom('rm')"


def test_a_job_in_a_pickle_is_compared_by_its_content():
    class AJob:
        def __init__(self, outcome):
            self.outcome = outcome

        def to_reference(self):
            return {"$job": self.outcome}

    one, again, other = (read_pickle(to_pickle([AJob(outcome)])) for outcome in ("aa", "aa", "bb"))
    assert is_same(one, again)
    assert find_difference(one, other)[1:] == ("'aa'", "'bb'")


def test_no_pickle_is_refused():
    with pytest.raises(Unreadable, match="no pickle"):
        read_pickle(b"a,b\n1,2\n")


def test_what_is_shown_is_short():
    assert len(show(["x" * 10_000] * 10_000)) < 600


@given(values)
def test_a_value_is_the_same_as_its_copy(value):
    data = pickle.dumps(value, 4)
    assert is_same(read_pickle(data), read_pickle(data))
    assert is_same(value, pickle.loads(data))


@given(values, values)
def test_values_differ_when_their_canonical_forms_do(one, other):
    forms = [dumps(to_structure(value)) for value in (one, other)]
    assert is_same(one, other) == (forms[0] == forms[1])
    assert is_same(*map(_unpickled, (one, other))) == (forms[0] == forms[1])
