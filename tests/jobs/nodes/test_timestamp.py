"""Timestamps of all forms, their order, and refs that sort as they do."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.nodes.timestamp import InvalidTimestamp, Timestamp, parse_timestamp

IN_ORDER = [
    "1",
    "1+2019-12",
    "2",
    "1000000000",
    "1000000000+5",
    "1978-01",
    "2017-06-27T17:00:00",
    "2017-06-27T17:00:00+2",
    "2017-06-27T17:00:00+10",
    "2017-06-27T17:00:00.5",
    "2017-06-27T17:00:00.51",
    "2019-12",
    "2019-12+3",
    "2019-12+3+2019-12-09",
    "2019-12-09",
    "2019-12-09T12",
    "2019-12-09T12:19",
    "2019-12-09T12:19:04",
    "2019-12-09T12:19:04.123456",
    "2020-01",
]

parts = st.one_of(
    st.integers(0, 10**18 - 1).map(str),
    st.datetimes().flatmap(
        lambda moment: st.sampled_from([7, 10, 13, 16, 19, 21, 26]).map(
            lambda length: f"{moment.isoformat(timespec='microseconds'):0>26}"[:length]
        )
    ),
)
timestamps = st.lists(parts, min_size=1, max_size=3).map(lambda texts: parse_timestamp("+".join(texts)))


def test_numbers_come_before_dates_and_more_parts_behind_what_they_go_on() -> None:
    found = [parse_timestamp(text) for text in IN_ORDER]
    assert all(one < two for one, two in pairwise(found))
    assert [str(each) for each in found] == IN_ORDER


@given(timestamps, timestamps)
def test_names_of_refs_sort_as_timestamps_do(one: Timestamp, two: Timestamp) -> None:
    assert (one < two) == (one.to_ref().encode() < two.to_ref().encode())


@given(timestamps)
def test_a_timestamp_comes_back_from_its_text_and_from_its_ref(timestamp: Timestamp) -> None:
    assert parse_timestamp(str(timestamp)) == timestamp
    assert Timestamp.from_ref(timestamp.to_ref()) == timestamp
    assert "/" not in timestamp.to_ref()


def test_a_space_and_leading_zeros_are_no_difference() -> None:
    assert str(parse_timestamp("2019-12-09 12:19+007")) == "2019-12-09T12:19+7"


@pytest.mark.parametrize(
    "text",
    ["", "+", "1+", "-1", "x", "2019-13", "2019-02-30", "2019-12-09T24", "2019-12-9", "2019-1", "0000-01",
     "\N{ARABIC-INDIC DIGIT ONE}",
     "2019-12-09T12:19:60", "2019-12-09T12:19:04.1234567", "2019/12", "1" * 19, "2019-12\n"],
)  # fmt: skip
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimestamp):
        parse_timestamp(text)


@pytest.mark.parametrize(
    ("bound", "text", "covered"),
    [
        ("2019-12", "2019-12-31T23:59:59.999999", True),
        ("2019-12", "2019-12+5", True),
        ("2019-12", "2020-01-01", False),
        ("2019-12-09T12:19:04.1", "2019-12-09T12:19:04.19", True),
        ("5+2019-12", "5+2019-12-24", True),
        ("5+2019-12", "6+2019-12-24", False),
        ("2019-12+3", "2019-12+30", False),
        ("5", "5+1", False),
    ],
)
def test_a_date_covers_what_lies_in_it(bound: str, text: str, covered: bool) -> None:
    assert parse_timestamp(bound).covers(parse_timestamp(text)) is covered


def test_the_time_of_a_build_is_a_timestamp() -> None:
    assert str(Timestamp.of_moment(1_700_000_000_000_007)) == "2023-11-14T22:13:20.000007"
