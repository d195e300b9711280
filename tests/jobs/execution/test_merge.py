"""`analysis_res`: in slice order, and merged by the rules that users know."""

import pickle
from collections import Counter, defaultdict, namedtuple
from pathlib import Path

import pytest

from jobs.errors import UsageError
from jobs.execution.merge import AnalysisResults, merge, storable

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
    assert list(found) == []


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
