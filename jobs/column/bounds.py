"""The smallest and the largest value of a column, as a node or a slice says them: what the type can have."""

import datetime
from typing import Any

from jobs.column.types import TYPES, ColumnType
from jobs.errors import ColumnError


def checked_bounds(column_type: str, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the two as they are; raise `ValueError` when values of the type cannot have such bounds.

    They are compared and counted with wherever rows are looked for, so that those which somebody made up would fail
    there. What a type has that is not known here is not known either.

    >>> checked_bounds("int32", 1, 5)
    (1, 5)
    """
    of = TYPES.get(column_type)
    if of is not None:
        for value in (low, high):
            if value is not None and not _is_of(of, value):
                raise ValueError(
                    f"a bound of type '{type(value).__name__}' of a column of type '{column_type}'"
                )
        if low is not None and high is not None and _without_zone(low) > _without_zone(high):
            raise ValueError("a smallest value that is larger than the largest")
    return low, high


def _is_of(of: ColumnType, value: Any) -> bool:
    # a bool is an int, but no number of a column
    if not of.has_minmax or type(value) not in of.exact:
        return False
    try:
        of.check(value)
    except ColumnError:
        return False
    return True


def _without_zone(value: Any) -> Any:
    has_zone = isinstance(value, datetime.datetime | datetime.time)
    return value.replace(tzinfo=None) if has_zone else value
