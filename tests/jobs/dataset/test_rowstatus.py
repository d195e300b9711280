"""Where an iteration is, when somebody asks or something goes wrong."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from jobs.dataset import rowstatus
from jobs.dataset.callbacks import SkipSlice
from jobs.dataset.dataset import Dataset
from jobs.status import keeping, note_stack, read_stack, stack
from tests.jobs.dataset.owners import FewJobs


@pytest.fixture
def dataset(jobs: FewJobs) -> Dataset:
    """Two slices of 3,000 and of 2,000 rows: a number, its text, and whether it is even or None."""
    rows = [[(n, n % 2 == 0 or None, str(n)) for n in range(size)] for size in (3000, 2000)]
    return jobs.write({"n": "int64", "even": ("bool", True), "text": "unicode"}, [*rows, []])


def text() -> str:
    """Return where the only iteration of this process is."""
    (line,) = stack()
    return line.text


def status_of(error: BaseException) -> str:
    note_stack(error)
    (note,) = error.__notes__
    return str(note).removeprefix("Status when it was raised:\n  ").replace("iterating ", "")


def raise_at(rows: Iterable[Any], number: int) -> str:
    """Return the status with which the row of that number, from 0, is told to be wrong."""

    def read() -> None:
        for at, _ in enumerate(rows):
            _ = 1 / (at - number)

    with pytest.raises(ZeroDivisionError) as caught:
        read()
    return status_of(caught.value)


@pytest.fixture(autouse=True)
def own_stack() -> Iterator[None]:
    """Leave out what other tests have not finished."""
    with keeping(Path(os.devnull), lambda: None):
        yield


@pytest.mark.parametrize("columns", ["n", "even", "text", ("n", "text"), ("even", "n")], ids=str)
@pytest.mark.parametrize("number", [0, 1, 255, 256, 1999])
def test_an_error_tells_the_row(dataset: Dataset, columns: Any, number: int) -> None:
    where = raise_at(dataset.iterate(1, columns), number)
    assert where == f"{dataset}, slice 1: row {number + 1:,} of 2,000"


ROWS: dict[str, tuple[Callable[[Dataset], Iterable[Any]], str]] = {
    "all slices": (lambda ds: ds.iterate(None, "n", pre_callback=_skip_first), "slice 1: row 8 of 2,000"),
    "in turn": (lambda ds: ds.iterate("roundrobin", "n"), "all slices in turn: row 8 of 5,000"),
    "from a row": (lambda ds: ds.iterate(0, "n", slice=1000), "slice 0: row 1,008 of 3,000"),
    "every third": (lambda ds: ds.iterate(0, "n", slice=slice(10, None, 3)), "slice 0: row 32 of 3,000"),
    "in a range": (lambda ds: ds.iterate(0, "n", range={"n": (5, 90)}), "slice 0: row 8 of those asked for"),
    "filtered": (lambda ds: ds.iterate(0, "n", filters=lambda n: n > 99), "slice 0: row 108 of 3,000"),
    "filtered by column": (
        lambda ds: ds.iterate(0, ("n", "even"), filters={"even": None}),
        "slice 0: row 15 of 3,000",
    ),
    "translated": (lambda ds: ds.iterate(0, "n", translators={"n": str}), "slice 0: row 8 of 3,000"),
}


def _skip_first(_dataset: object, sliceno: int) -> None:
    if sliceno == 0:
        raise SkipSlice


@pytest.mark.parametrize("case", ROWS)
def test_the_row_is_that_of_the_slice_whatever_is_asked_for(dataset: Dataset, case: str) -> None:
    rows, where = ROWS[case]
    assert raise_at(rows(dataset), 7) == f"{dataset}, {where}"


def test_an_error_in_a_translator_tells_the_row(dataset: Dataset) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(dataset.iterate(0, "n", translators=lambda n: 1 / (n - 1234)))
    assert status_of(caught.value) == f"{dataset}, slice 0: row 1,235 of 3,000"


def test_an_iteration_that_is_still_there_tells_the_row_as_well_as_it_can(
    dataset: Dataset, jobs: FewJobs
) -> None:
    rows = dataset.iterate(0, "n")
    assert [next(rows), next(rows)] == [0, 1]
    assert text() == f"iterating {dataset}, slice 0: row 2 of 3,000"
    del rows
    texts = dataset.iterate(1, "text")
    assert [text for text, _ in zip(texts, range(1800), strict=False)][-1] == "1799"
    assert text() == f"iterating {dataset}, slice 1: row 1,801 of 2,000"
    del texts
    short = jobs.write({"text": "unicode"}, [[("a",), ("b",), ("c",)], [], []])
    texts = short.iterate(0, "text")
    assert next(texts) == "a"
    assert text() == f"iterating {short}, slice 0: row 1 to 3 of 3"


def test_an_iteration_that_stood_still_since_the_last_error_is_not_told_again(dataset: Dataset) -> None:
    rows = dataset.iterate(0, "n")
    for told in (True, False):
        error = ValueError("no good")
        next(rows) if told else None
        note_stack(error)
        assert hasattr(error, "__notes__") == told
    next(rows)
    assert status_of(ValueError("again")) == f"{dataset}, slice 0: row 2 of 3,000"


def test_an_iteration_that_is_over_says_nothing(dataset: Dataset) -> None:
    assert len(list(dataset.iterate(None, "n"))) == 5000
    for _ in dataset.iterate(0, "n"):
        break
    assert stack() == []


def test_an_iteration_may_keep_quiet(dataset: Dataset) -> None:
    for _ in dataset.iterate(0, "n", status_reporting=False):
        assert stack() == []
    for _ in dataset.chain().iterate(0, "n", status_reporting=False):
        assert stack() == []


def test_rows_are_the_same_with_and_without_a_status(dataset: Dataset) -> None:
    for columns in ("n", ("text", "even")):
        assert list(dataset.iterate(None, columns)) == list(
            dataset.iterate(None, columns, status_reporting=False)
        )


def test_who_reads_slowly_is_seen_to_go_on(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, clock, seen = tmp_path / "page", count(step=60), set()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with keeping(page, lambda: None):
        for _ in dataset.iterate(0, "even"):
            seen.update(line.text.partition(": ")[2] for line in read_stack(page))
    assert len(seen) > 20


def test_parts_grow_while_they_are_read_quickly(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    rows = rowstatus.RowStatus(3000)
    with rows:
        rows.visit(dataset, 0, range(3000))
        sizes = [len(list(part[0])) for part in rows.cut([[list(range(3000))]], by_first=True)]
    assert sizes == [256, 512, 1024, 1208]
