"""Limits of a job, as they are written and as they count together."""

import pytest

from jobs.errors import UsageError
from jobs.limits import Limits, parse_bytes, parse_seconds, size_in_words, time_in_words


@pytest.mark.parametrize(
    ("text", "size"),
    [("4G", 4 << 30), ("500m", 500 << 20), ("1.5 GiB", 3 << 29), ("64KB", 65536), ("100", 100), (7, 7)],
)
def test_an_amount_of_memory_is_read(text: object, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h", 3600),
        ("90s", 90),
        ("1h30m", 5400),
        ("1.5m", 90),
        ("2d", 172800),
        ("90", 90),
        ("1m30", 90),
        (2.5, 2.5),
    ],
)
def test_a_length_of_time_is_read(text: object, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("given", ["", "much", "-1G", "0", "4X", 0, -5, True, None, 1.5, ["1G"]])
def test_what_is_no_amount_of_memory_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="no amount of memory"):
        parse_bytes(given)


@pytest.mark.parametrize("given", ["", "long", "-1h", "0s", "1y", 0, True, None, float("inf"), float("nan")])
def test_what_is_no_length_of_time_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        parse_seconds(given)


def test_of_two_limits_the_smaller_counts() -> None:
    assert Limits(5, None).within(Limits(3, 9.0)) == Limits(3, 9.0)
    assert Limits(None, 2.0).within(Limits()) == Limits(None, 2.0)


def test_sizes_and_times_are_said_as_they_are_written() -> None:
    for size in (1, 999, 4 << 30, 3 << 29, 512 << 20):
        assert parse_bytes(size_in_words(size)) == size
    for seconds in (0.5, 59.0, 3600.0, 5400.0, 90061.0):
        assert parse_seconds(time_in_words(seconds)) == seconds
