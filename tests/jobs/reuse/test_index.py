"""The index: labels, actions and listings become visible together, and are found in every way."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cas.errors import AccError, CorruptRefs, RefConflict
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.run import ActionKey
from jobs.reuse.index import JOBS, TABLES, JobIndex, Listing
from tests.cas.local.test_many_refs import steps


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


def test_runs_beside_one_are_found_by_the_method_and_in_all(index: JobIndex) -> None:
    rows = [row(number, method="other" if number == 3 else "count") for number in range(1, 7)]
    for each in rows:
        index.publish(each, {})
    _, two, three, four, five, six = rows
    assert index.neighbours(four, later=False, limit=1) == [two]
    assert index.neighbours(four, later=True, limit=9) == [five, six]
    assert index.neighbours(three, later=True, limit=9) == []
    assert index.followers(two, 2) == [three, four]
    assert index.of_runs([two.run, six.run, oid_of(b"none")]) == {two.run: two, six.run: six}


def test_what_is_not_there_is_none(index: JobIndex) -> None:
    assert index.find_label("dev-1") is None
    assert index.find_label("no label") is None
    assert index.resolve("count") is None
    assert index.find_latest() is None
    assert index.find_dataset_owner(oid_of(b"head")) is None
    assert index.last_number("dev") == 0


def test_the_columns_of_a_listed_job_are_its_fields() -> None:
    assert [column for column in JOBS.columns if column != "checksum"] == [*JobRow._fields]


def chain_of(index: JobIndex, length: int) -> list[JobRow]:
    """Publish a chain of jobs; return it, oldest first."""
    rows = [row(1, previous="")]
    rows += [row(number, previous=row(number - 1).run) for number in range(2, length + 1)]
    for each in rows:
        index.publish(each, {})
    return rows


def test_the_jobs_before_one_are_found_nearest_first(index: JobIndex) -> None:
    rows = chain_of(index, 200)  # more than are read at a time
    assert list(index.before(rows[-1])) == rows[-2::-1]
    assert list(index.before(rows[1])) == rows[:1]
    assert list(index.before(rows[0])) == []


def test_the_listing_of_a_chain_ends_before_a_job_that_is_not_listed(index: JobIndex) -> None:
    rows = chain_of(index, 10)
    index.drop(rows[3:4], "gone")
    assert list(index.before(rows[-1])) == rows[8:3:-1]


def test_the_listing_of_a_chain_ends_at_a_job_that_is_listed_without_the_one_before(index: JobIndex) -> None:
    old = row(1)
    new = row(2, previous=old.run)
    for each in (old, new):
        index.publish(each, {})
    assert list(index.before(new)) == [old]
    assert list(index.before(old)) == []


def test_a_job_with_two_labels_is_before_another_once(index: JobIndex) -> None:
    rows = chain_of(index, 3)
    index.publish(rows[1]._replace(number=4711), {})
    assert [each.run for each in index.before(rows[2])] in ([], [rows[1].run, rows[0].run])


@pytest.mark.parametrize("column", ["run", "previous", "checksum"])
def test_a_damaged_link_leads_to_no_other_job(index: JobIndex, tmp_path: Path, column: str) -> None:
    rows = chain_of(index, 4)
    index.publish(row(5), {})
    with sqlite3.connect(tmp_path / "refs.sqlite") as database:
        database.execute(f"UPDATE jobs SET {column} = ? WHERE number = 3", (row(5).run,))
    damaged = rows[3]._replace(previous=row(5).run) if column == "run" else rows[3]
    with pytest.raises(CorruptRefs):
        list(index.before(damaged))


def test_listings_are_newest_first(index: JobIndex) -> None:
    rows = [row(number) for number in (1, 2, 3)]
    for each in rows:
        index.publish(each, {})
    assert index.rows() == rows[::-1]
    assert index.rows(2) == rows[:0:-1]
    assert index.of_method("count", 1) == rows[2:]


def test_listings_are_of_one_workdir_or_one_method(index: JobIndex) -> None:
    one, two, three = row(1), row(2, workdir="old"), row(3, method="other", state="failed")
    for each in (one, two, three):
        index.publish(each, {})
    assert index.rows(workdir="dev") == [three, one]
    assert index.rows(method="count") == [two, one]
    assert (index.count(), index.count(workdir="dev"), index.count(method="other")) == (3, 2, 1)
    assert index.find_latest("dev") == one


def test_the_first_of_an_outcome_is_the_oldest(index: JobIndex) -> None:
    outcome = oid_of(b"outcome")
    for number, ended in ((1, 20), (2, 10), (3, 30)):
        index.publish(row(number, outcome=outcome, ended=ended), {})
    assert index.find_first_of_outcome(outcome) == row(2, outcome=outcome, ended=10)
    assert index.find_first_of_outcome(oid_of(b"none")) is None


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


def test_many_datasets_are_found_as_each_alone(index: JobIndex) -> None:
    heads = [oid_of(b"%d" % number) for number in range(4)]
    for number, held in enumerate([{"a": heads[0]}, {"a": heads[1], "b": heads[0]}, {"b": heads[2]}], 1):
        index.publish(row(number), held)
    asked = [(head, name) for head in heads for name in ("a", "b")] * 200  # more than fit into one statement
    assert index.find_dataset_owners(asked) == [index.find_dataset_owner(*each) for each in asked]
    assert index.find_dataset_owners(asked)[:2] == [(row(1), "a"), (row(2), "b")]
    assert index.find_dataset_owners([]) == []


@pytest.mark.parametrize(
    "text", ["dev", "dev-", "-3", "dev-03", "dev-x", "dev-\u0661", "", "dev-" + "9" * 19, "dev-" + "9" * 5000]
)
def test_a_text_that_is_no_label(text: str) -> None:
    assert split_label(text) is None


def test_a_workdir_may_have_a_dash() -> None:
    assert split_label("my-dev-12") == ("my-dev", 12)


# damage


def looks(index: JobIndex, wanted: JobRow) -> list[Callable[[], JobRow | None]]:
    """Return the ways to look for one job."""
    head = oid_of(b"head %d" % wanted.number)
    return [
        lambda: index.find("dev", wanted.number),
        lambda: index.of_run(wanted.run),
        lambda: index.find_action(wanted.key),
        lambda: (index.find_dataset_owner(head) or (None, ""))[0],
    ]


def test_a_flipped_bit_never_gives_another_job(tmp_path: Path) -> None:
    path = tmp_path / "refs.sqlite"
    refs = LocalRefs(path, TABLES, durability="none")
    rows = [row(1), row(2, facts=1), row(3, earlier="dev-2")]
    for each in rows:
        JobIndex(refs).publish(each, {"default": oid_of(b"head %d" % each.number)})
    refs.close()
    sound = path.read_bytes()
    rng = random.Random(3)
    noticed = 0
    for place in rng.sample([place for place, byte in enumerate(sound) if byte], 300):
        damaged = bytearray(sound)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        index = JobIndex(LocalRefs(path, TABLES, read_only=True))
        for wanted, look in [(each, look) for each in rows for look in looks(index, each)]:
            try:
                assert look() in (wanted, None), place
            except (AccError, OSError):
                noticed += 1
        index.refs.close()
    assert noticed > 500


def test_a_row_of_the_listing_that_was_changed_is_corrupt(index: JobIndex, tmp_path: Path) -> None:
    index.publish(row(1, facts=1), {"default": oid_of(b"head")})
    index.publish(row(2), {})
    connection = sqlite3.connect(tmp_path / "refs.sqlite")
    with connection:
        connection.execute("UPDATE jobs SET facts = 0 WHERE number = 1")
        connection.execute("UPDATE datasets SET number = 2")
    connection.close()
    with pytest.raises(CorruptRefs, match="the listing of job 'dev-1' is damaged"):
        index.find_action(row(1).key)
    with pytest.raises(CorruptRefs, match="the listing of job 'dev-2' is damaged"):
        index.find_dataset_owner(oid_of(b"head"))
    assert index.find_label("dev-2") == row(2)


# many jobs

MANY = 20_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> JobIndex:
    """An index of 20,000 jobs of ten methods, each outcome a thousand times, every seventh run failed."""
    refs = LocalRefs(tmp_path_factory.mktemp("many") / "refs.sqlite", TABLES, durability="none")
    with refs.transaction("many") as transaction:
        listing = Listing(transaction)
        for number in range(1, MANY + 1):
            state = "failed" if number % 7 == 0 else "done"
            made = row(number, method=f"m{number % 10}", outcome=oid_of(b"%d" % (number % 20)), state=state)
            made = made._replace(previous=oid_of(b"run %d" % (number - 1)) if number > 1 else "")
            listing.write(made, {"default": oid_of(b"head %d" % number)})
    return JobIndex(refs)


LOOKS = {
    "label": lambda index: index.find_label("dev-4711"),
    "number": lambda index: index.last_number("dev"),
    "latest": lambda index: index.find_latest(),
    "latest_of_workdir": lambda index: index.find_latest("dev"),
    "method": lambda index: index.resolve("m3"),
    "run": lambda index: index.of_run(oid_of(b"run 4711")),
    "key": lambda index: index.of_key(oid_of(b"key 4711"), 8),
    "outcome": lambda index: index.find_first_of_outcome(oid_of(b"7")),
    "dataset": lambda index: index.find_dataset_owner(oid_of(b"head 4711")),
    "datasets": lambda index: index.find_dataset_owners([(oid_of(b"head %d" % n), "") for n in range(16)]),
    "chain": lambda index: list(index.before(row(20, previous=oid_of(b"run 19")))),
    "log": lambda index: index.rows(20),
    "log_of_workdir": lambda index: index.rows(20, workdir="dev"),
    "log_of_method": lambda index: index.rows(20, method="m3"),
    "publish": lambda index: index.publish(row(MANY + 1), {}),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_look_at_few_of_many_jobs_reads_few(many: JobIndex, look: Callable[[JobIndex], object]) -> None:
    assert steps(many.refs, lambda: look(many)) < 20  # all jobs are 3,000
