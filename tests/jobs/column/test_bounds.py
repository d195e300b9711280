"""Which smallest and largest values a column can have."""

import datetime
import math
from typing import Any

import pytest

from jobs.column.bounds import checked_bounds


@pytest.mark.parametrize(
    ("column_type", "low", "high"),
    [
        ("int32", -1, 5),
        ("float64", math.nan, math.nan),
        ("float64", -math.inf, 0.0),
        ("number", 10**4000, math.inf),
        ("unicode", None, None),
        ("time", datetime.time(1, tzinfo=datetime.UTC), datetime.time(2)),
        ("of a later version", "anything", [1]),
    ],
)
def test_what_a_column_can_have_is_returned(column_type: str, low: Any, high: Any) -> None:
    assert checked_bounds(column_type, low, high) == (low, high) or low != low


@pytest.mark.parametrize(
    ("column_type", "low", "high"),
    [
        ("int32", 1 << 40, 1 << 41),
        ("int32", True, 5),
        ("int64", "x", "y"),
        ("int64", 5, -5),
        ("float64", 1, 2),
        ("unicode", "a", "b"),
        ("complex64", 1j, 2j),
        ("date", datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)),
        ("datetime", 3, 4),
        ("json", [1], {}),
    ],
)
def test_what_it_cannot_have_is_refused(column_type: str, low: Any, high: Any) -> None:
    with pytest.raises(ValueError, match=r"a bound of type|larger than the largest"):
        checked_bounds(column_type, low, high)
