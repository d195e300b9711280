"""Names of urd lists, and which session of one is meant."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from cas.errors import AccError
from jobs.nodes.timestamp import parse_timestamp
from porcelain.sessions.urdpath import UrdError, check_may_write, parse_path, to_timestamp, to_when

TIMES = [parse_timestamp(text) for text in ("1", "5", "2019-11", "2019-12", "2019-12-24T18", "2020-01-01")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        ("2019-12-09 12", "2019-12-09T12"),
        (date(2019, 12, 9), "2019-12-09"),
        (datetime(2017, 6, 27, 17), "2017-06-27T17:00:00"),
        (datetime(2017, 6, 27, 17, 0, 0, 5), "2017-06-27T17:00:00.000005"),
        (datetime(2017, 6, 27, 17, tzinfo=UTC), "2017-06-27T17:00:00"),
        (datetime(2017, 6, 27, 17, tzinfo=timezone(timedelta(hours=2))), "2017-06-27T15:00:00"),
        (("2019-12", 3), "2019-12+3"),
        (["2017-06-27 17:00:00", 42], "2017-06-27T17:00:00+42"),
        (parse_timestamp("2019-12+3"), "2019-12+3"),
    ],
)
def test_a_timestamp_may_be_given_in_many_forms(value, text):
    assert str(to_timestamp(value)) == text


@pytest.mark.parametrize("value", [None, True, -1, 1.5, (), b"2019-12", "latest", "<5", {}])
def test_what_is_no_timestamp_is_refused(value):
    with pytest.raises(AccError):
        to_timestamp(value)


@pytest.mark.parametrize(
    ("value", "picked"),
    [
        ("latest", "2020-01-01"),
        ("first", "1"),
        (5, "5"),
        (6, None),
        ("<5", "1"),
        ("<=5", "5"),
        ("<1", None),
        (">5", "2019-11"),
        (">=5", "5"),
        ("<=2019-12", "2019-12-24T18"),
        ("<2019-12", "2019-11"),
        (">2019-12", "2019-12-24T18"),
        (">=2019-12-01", "2019-12-24T18"),
        (("<=", "2019-12"), "2019-12-24T18"),
        ((">", 2019), "2019-11"),
        (">2020-01-01", None),
    ],
)
def test_the_nearest_session_that_fits_is_meant(value, picked):
    found = to_when(value).pick(TIMES)
    assert (found and str(found)) == picked


def test_of_an_empty_list_nothing_is_meant():
    assert to_when("latest").pick([]) is None


@pytest.mark.parametrize("text", ["", "/", "a/", "a/b/c", "..", "anna/..", "a\nb"])
def test_what_names_no_list_is_refused(text):
    with pytest.raises(AccError):
        parse_path(text, "anna")


def test_a_list_is_mine_or_that_of_somebody_else():
    assert str(parse_path("import", "anna")) == "anna/import"
    assert str(parse_path("bert/import", "anna")) == "bert/import"


def test_only_lists_of_the_user_are_written_and_never_that_of_builds():
    check_may_write(parse_path("import", "anna"), "anna")
    for path in ("bert/import", "__auto__"):
        with pytest.raises(UrdError):
            check_may_write(parse_path(path, "anna"), "anna")
