"""Which files of a log tell of what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import CorruptRemote
from cas.remote.bucket import Listed
from cas.remote.log import LogFile, covering, find_log_file, worth_merging


def files(*ranges):
    return [LogFile(first, last, bytes=10) for first, last in ranges]


@pytest.mark.parametrize(
    ("listed", "after", "wanted"),
    [
        ([], 0, []),
        ([(1, 1), (2, 2)], 0, [(1, 1), (2, 2)]),
        ([(1, 1), (2, 2)], 1, [(2, 2)]),
        ([(1, 1), (2, 2)], 2, []),
        ([(1, 1), (2, 2)], 7, []),
        ([(1, 1), (2, 2), (1, 2), (3, 3)], 0, [(1, 2), (3, 3)]),
        ([(1, 4), (2, 6)], 3, [(2, 6)]),
        ([(1, 4), (5, 6), (5, 5), (6, 6), (7, 7)], 4, [(5, 6), (7, 7)]),
    ],
)
def test_the_fewest_files_tell_of_what_is_new(listed, after, wanted):
    assert [(file.first, file.last) for file in covering(files(*listed), after)] == wanted


@pytest.mark.parametrize(("listed", "after"), [([(2, 2)], 0), ([(1, 1), (3, 3)], 0), ([(5, 5)], 3)])
def test_a_missing_transaction_is_noticed(listed, after):
    with pytest.raises(CorruptRemote, match="is missing"):
        covering(files(*listed), after)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=200))
def test_merging_leaves_files_of_geometric_sizes(lengths):
    chain: list[LogFile] = []
    for number, length in enumerate(lengths, start=1):
        chain.append(LogFile(number, number, length))
        if len(chain) > 8:
            chosen = worth_merging(chain)
            merged = LogFile(chosen[0].first, chosen[-1].last, sum(file.bytes for file in chosen))
            chain = [*chain[: -len(chosen)], merged]
    assert len(chain) <= 20
    assert covering(chain, 0) == chain


@pytest.mark.parametrize(
    "key",
    [
        "log/1-1",
        "log/000000000000-000000000001",
        "log/000000000002-000000000001",
        "log/000000000001-000000000001.tmp",
        "log/x",
        "idx/000000000001-000000000001",
    ],
)
def test_what_has_no_name_of_the_log_is_passed_over(key):
    assert find_log_file(Listed(key, 1, 0.0)) is None


def test_a_name_is_that_of_the_numbers():
    file = LogFile(7, 123)
    assert find_log_file(Listed(file.key, 5, 1.0)) == LogFile(7, 123, 5, 1.0)
