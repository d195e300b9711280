"""Calls on several threads: results in order, and no thread that outlives whoever asked for them."""

import hashlib
import os
import random
import resource
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cas.errors import CorruptObject
from cas.formats.frame import FRAME_BYTES
from cas.local.store import LocalStore
from cas.threads import Lane, in_order, usable_cores
from tests.cas.local.test_store import flip

# frames of noise on all cores
LARGE = random.Random(1).randbytes(3 * FRAME_BYTES)


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.fixture
def store(tmp_path):
    return LocalStore.create(tmp_path / ".acc", durability="none")


def test_results_come_in_the_order_of_the_calls():
    assert list(in_order(lambda number: number * number, range(1000))) == [n * n for n in range(1000)]


def test_the_error_of_a_call_is_raised_in_its_turn():
    with closing(in_order(lambda number: 60 // (3 - number), range(6))) as results:
        assert [next(results) for _ in range(3)] == [20, 30, 60]
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_a_lane_that_is_closed_forgets_what_waits():
    taken = []
    lane = Lane(taken.append)
    lane.submit(int)
    lane.close()
    assert taken == []


def test_many_lanes_have_few_calls_under_way():
    running, most, lock = 0, 0, threading.Lock()

    def call(number):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        held = hashlib.blake2b(bytes(1 << 20)).digest()
        with lock:
            running -= 1
        return number, held

    taken = [[] for _ in range(30)]
    lanes = [Lane(each.append) for each in taken]
    for number in range(90):
        lanes[number % 30].submit(call, number)
    for lane in lanes:
        lane.drain()
        lane.close()
    assert [[number for number, _ in each] for each in taken] == [[n, n + 30, n + 60] for n in range(30)]
    assert most <= usable_cores() + 1


def test_a_forked_child_has_threads_of_its_own():
    lane = Lane(lambda _: None)
    lane.submit(int)
    pid = os.fork()
    if pid == 0:
        results = list(in_order(abs, range(-9, 0)))
        os._exit(results != list(range(9, 0, -1)))
    assert os.waitpid(pid, 0)[1] == 0
    lane.close()


def test_threads_end_when_a_lane_is_forgotten():
    Lane(lambda _: None).submit(int)


def test_threads_end_when_a_reader_leaves_early(store):
    oid = store.put(LARGE)
    pieces = store.pieces(oid)
    assert next(pieces) == LARGE[:FRAME_BYTES]
    pieces.close()


def test_threads_end_when_a_writer_gives_up(store):
    writer = store.writer()
    writer.write(LARGE)
    writer.abort()
    assert list(store.ids()) == []


@pytest.mark.parametrize("what", ["export", "pieces"])
def test_threads_end_when_an_object_is_damaged(store, tmp_path, what):
    oid = store.put(LARGE)
    flip(Path(store.loose.path_of(oid)), FRAME_BYTES + 1000)
    with open(tmp_path / "file", "wb") as file, pytest.raises(CorruptObject):
        store.export(oid, file.fileno()) if what == "export" else list(store.pieces(oid))


def test_threads_end_when_there_is_no_room(store, tmp_path):
    oid = store.put(LARGE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FRAME_BYTES + 1000, before[1]))
    try:
        with open(tmp_path / "file", "wb") as file, pytest.raises(OSError, match="File too large"):
            store.export(oid, file.fileno())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
