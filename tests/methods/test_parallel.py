"""What prepare does for each slice in processes of its own: results, errors and deaths reach it."""

import os
import signal
from pathlib import Path

import pytest

from cas.threads import usable_cores
from jobs.errors import ColumnError, DatasetError
from porcelain.methods.tables.parallel import in_each, in_each_slice
from porcelain.methods.tables.scratch import Scratch

here = os.getpid()


def test_results_come_in_the_order_of_the_slices():
    assert in_each_slice(5, lambda sliceno: (sliceno, os.getpid() != here)) == [(n, True) for n in range(5)]


def test_what_a_process_puts_on_disk_is_read_by_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scratches = [Scratch(), Scratch()]
    places = in_each_slice(2, lambda sliceno: scratches[sliceno].put(f"of {sliceno}"))
    found = in_each_slice(2, lambda sliceno: list(scratches[1 - sliceno].take([places[1 - sliceno]])))
    assert found == [["of 1"], ["of 0"]]


def test_an_error_of_acc_is_raised_as_it_was():
    def refuse(sliceno):
        raise ColumnError(f"no {sliceno}", hint="none")

    with pytest.raises(ColumnError, match="no 0") as caught:
        in_each_slice(1, refuse)
    assert caught.value.hint == "none"


def test_the_death_of_a_process_is_an_error():
    with pytest.raises(DatasetError, match="the process that reads slice 0 was killed by SIGKILL"):
        in_each_slice(1, lambda _: os.kill(os.getpid(), signal.SIGKILL))


# ---- items that come one by one


def signals():
    """Return a function that waits for the other to be called in another process; on one core it does not wait."""
    reader, writer = os.pipe()
    return lambda: usable_cores() > 1 and os.read(reader, 1), lambda: os.write(writer, b"x")


def test_results_come_in_the_order_of_the_items_whoever_is_done_first():
    wait, tell = signals()

    def wait_for_second(item, lane):
        if item == 0:
            wait()
        elif item == 1:
            tell()
        return item

    assert list(in_each(iter(range(9)), wait_for_second, noun="item")) == list(range(9))


def test_items_are_taken_only_a_few_ahead():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = in_each(items(), lambda item, lane: item, noun="item")
    assert next(results) == 0
    assert len(taken) <= usable_cores() + 2
    results.close()


def test_no_two_processes_at_a_time_have_the_same_lane(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def claim(item, lane):
        with open(str(lane), "x"):
            os.urandom(1 << 20)  # some milliseconds of work
        Path(str(lane)).unlink()
        return lane

    assert set(in_each(range(8), claim, noun="item")) <= set(range(usable_cores()))


def test_an_error_is_raised_when_it_is_its_turn():
    wait, tell = signals()

    def refuse_second(item, lane):
        if item == 1:
            tell()
            raise ColumnError("no second")
        if item == 0:
            wait()
        return item

    results = in_each(range(3), refuse_second, noun="item")
    assert next(results) == 0
    with pytest.raises(ColumnError, match="no second"):
        next(results)


def test_processes_append_to_one_file_in_turn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scratches = [Scratch() for _ in range(usable_cores())]

    def put(item, lane):
        return lane, scratches[lane].put(item)

    places = list(in_each(range(6), put, noun="item"))
    assert [value for lane, place in places for value in scratches[lane].take([place])] == list(range(6))
