"""What prepare does for each slice in processes of its own: results, errors and deaths reach it."""

import os
import signal

import pytest

from jobs.errors import ColumnError, DatasetError
from porcelain.methods.tables.parallel import in_each_slice
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
