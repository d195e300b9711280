"""The index: labels, actions and listings become visible together, and are found in every way."""

from pathlib import Path

import pytest

from cas.errors import RefConflict
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.run import ActionKey
from jobs.reuse.index import TABLES, JobIndex


def row(number: int, **fields: object) -> JobRow:
    made = JobRow(
        workdir="dev",
        number=number,
        run=oid_of(b"run %d" % number),
        job=oid_of(b"job %d" % number),
        outcome=oid_of(b"outcome %d" % number),
        method="count",
        key=ActionKey(oid_of(b"key %d" % number)),
        state="done",
        ended=number * 1000,
        micros=5,
    )
    return made._replace(**fields)


@pytest.fixture
def index(tmp_path: Path) -> JobIndex:
    return JobIndex(LocalRefs(tmp_path / "refs.sqlite", TABLES))


def test_a_published_job_is_found_in_every_way(index: JobIndex) -> None:
    one = row(1)
    index.publish(one, {"default": oid_of(b"head")})
    assert index.find("dev", 1) == index.find_label("dev-1") == index.find_action(one.key) == one
    assert (
        index.of_run(one.run)
        == index.find_latest()
        == index.resolve("count")
        == index.resolve("dev-LATEST")
        == one
    )
    assert index.of_outcome(one.outcome) == index.of_method("count") == index.of_key(one.key) == [one]
    assert index.find_dataset_owner(oid_of(b"head")) == (one, "default")
    assert index.last_number("dev") == 1
    assert list(index) == [one]


def test_what_is_not_there_is_none(index: JobIndex) -> None:
    assert index.find_label("dev-1") is None
    assert index.find_label("no label") is None
    assert index.resolve("count") is None
    assert index.find_latest() is None
    assert index.find_dataset_owner(oid_of(b"head")) is None
    assert index.last_number("dev") == 0


def test_listings_are_newest_first(index: JobIndex) -> None:
    rows = [row(number) for number in (1, 2, 3)]
    for each in rows:
        index.publish(each, {})
    assert index.rows() == rows[::-1]
    assert index.rows(2) == rows[:0:-1]
    assert index.of_method("count", 1) == rows[2:]


def test_a_failed_run_has_a_label_and_no_action(index: JobIndex) -> None:
    failed = row(1, state="failed", job=None, outcome=None)
    index.publish(failed, {})
    assert index.find_label("dev-1") == failed
    assert index.find_action(failed.key) is None
    assert index.find_latest() is None
    assert index.of_method("count") == []


def test_a_label_is_given_once(index: JobIndex) -> None:
    index.publish(row(1), {})
    with pytest.raises(RefConflict):
        index.publish(row(1, run=oid_of(b"another")), {"default": oid_of(b"head")})
    assert index.find_label("dev-1") == row(1)
    assert index.find_dataset_owner(oid_of(b"head")) is None


def test_a_dataset_is_found_under_the_name_that_is_asked_for(index: JobIndex) -> None:
    head = oid_of(b"head")
    index.publish(row(1), {"first": head})
    index.publish(row(2), {"second": head})
    assert index.find_dataset_owner(head) == (row(1), "first")
    assert index.find_dataset_owner(head, "second") == (row(2), "second")


@pytest.mark.parametrize("text", ["dev", "dev-", "-3", "dev-03", "dev-x", "dev-\u0661", ""])
def test_a_text_that_is_no_label(text: str) -> None:
    assert split_label(text) is None


def test_a_workdir_may_have_a_dash() -> None:
    assert split_label("my-dev-12") == ("my-dev", 12)
