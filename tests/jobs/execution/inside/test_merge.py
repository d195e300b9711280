"""`analysis_res`: in slice order, and merged by the rules that users know."""

import pickle
from collections import Counter, defaultdict, namedtuple
from pathlib import Path

import pytest

from jobs.errors import UsageError
from jobs.execution.inside.merge import AnalysisResults, merge, storable

Pair = namedtuple("Pair", "a b")


def results(folder: Path, *values: object) -> AnalysisResults:
    paths = []
    for number, value in enumerate(values):
        paths.append(folder / str(number))
        paths[-1].write_bytes(pickle.dumps(storable(value)))
    return AnalysisResults(paths)


def test_values_come_in_slice_order_and_once(tmp_path: Path) -> None:
    found = results(tmp_path, "a", "b", "c")
    assert next(found) == "a"
    assert list(found) == ["b", "c"]


def test_a_second_loop_over_the_values_is_an_error_and_not_empty(tmp_path: Path) -> None:
    found = results(tmp_path, "a", "b")
    assert [*found] == ["a", "b"]
    with pytest.raises(UsageError, match="iterated to its end"):
        list(found)


@pytest.mark.parametrize(
    ("values", "merged"),
    [
        ((1, 2, 3.5), 6.5),
        (([1], [], [2, 3]), [1, 2, 3]),
        (({1}, {2}, {1}), {1, 2}),
        (({"a": 1}, {"a": 2, "b": {"c": [1]}}, {"b": {"c": [2]}}), {"a": 3, "b": {"c": [1, 2]}}),
        ((Counter("ab"), Counter("bc")), Counter("abbc")),
        (((1, {"x"}), (2, {"y"})), (3, {"x", "y"})),
        ((Pair(1, [2]), Pair(3, [4])), Pair(4, [2, 4])),
        ((None, 5, None), 5),
        ((None, None), None),
    ],
)
def test_merge_auto_gives_one_value(tmp_path: Path, values, merged) -> None:
    found = results(tmp_path, *values).merge_auto()
    assert found == merged
    assert type(found) is type(merged)


@pytest.mark.parametrize(
    ("values", "overwriting"),
    [
        (({0: "a", "k": "old"}, {1: "b", "k": "new"}), {0: "a", 1: "b", "k": "new"}),
        (({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}), {"a": {"b": 2, "c": 3}}),
        (({"a"}, {"a", "b"}), {"a", "b"}),
        ((Counter(a=1), Counter(a=2)), Counter(a=3)),
    ],
    ids=["texts", "deep-numbers", "sets", "counters"],
)
def test_allow_overwrite_takes_the_later_value_of_a_key_or_refuses_it(
    tmp_path: Path, values, overwriting
) -> None:
    assert results(tmp_path, *values).merge_auto(allow_overwrite=True) == overwriting
    with pytest.raises(UsageError, match="duplicate key"):
        results(tmp_path, *values).merge_auto(allow_overwrite=False)


def test_what_clashes_is_named_with_its_place_and_slice(tmp_path: Path) -> None:
    values = ([1], {"a": {"b": 1}}), ([2], {"a": {"b": {"c": 1}}})
    with pytest.raises(
        UsageError, match=r"cannot merge 'int' with 'dict' at \[1\]\['a'\]\['b'\], .* slice 1"
    ):
        results(tmp_path, *values).merge_auto()


def test_what_two_slices_could_not_be_merged_of_is_refused_of_one(tmp_path: Path) -> None:
    for value in ("text", (1, "text")):
        with pytest.raises(UsageError, match="cannot merge 'str'"):
            results(tmp_path, value).merge_auto()


def test_merge_auto_comes_before_any_other_use(tmp_path: Path) -> None:
    found = results(tmp_path, 1, 2)
    next(found)
    with pytest.raises(UsageError):
        found.merge_auto()


@pytest.mark.parametrize(
    ("first", "second"), [(1, "a"), ("a", "b"), ({1}, [1]), ({"a": 1}, {"a": {}}), ((1,), (1, 2))]
)
def test_what_cannot_be_merged_is_refused(first, second) -> None:
    with pytest.raises(UsageError):
        merge(first, second)


def test_a_defaultdict_with_a_lambda_can_be_returned(tmp_path: Path) -> None:
    def counts(word):
        tree = defaultdict(lambda: defaultdict(int))
        tree[word]["n"] += 1
        return tree

    assert results(tmp_path, counts("a"), counts("a"), counts("b")).merge_auto() == {
        "a": {"n": 2},
        "b": {"n": 1},
    }
