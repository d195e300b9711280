"""A builder elsewhere waits for a job that runs long, and costs a short one no request."""

import itertools
import threading
import time
from contextlib import contextmanager

import pytest

from cas.remote.bucket import Bucket
from cas.remote.leases import Leases
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from jobs.nodes.run import ActionKey
from jobs.remote.sharedlease import SharedLeases

_numbers = itertools.count()
KEY = ActionKey("ab" * 32)


@contextmanager
def nowhere():
    yield


def until(holds):
    """Wait until something holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def people(tmp_path):
    """A function that makes a builder's leases; what it did is given back at the end."""
    url, made = f"memory://shared-leases-{next(_numbers)}", []

    def make(**seconds):
        remote = Remote(Bucket(url), Mirror(tmp_path / f"mirror-{next(_numbers)}"))
        remote.make()
        remote.look()
        leases = Leases(remote)
        shared = SharedLeases(lambda: leases, **{"ask_seconds": 0.01, "beat_seconds": 0.02, **seconds})
        made.append(shared)
        return shared, leases, remote.bucket

    yield make
    for shared in made:
        shared.close()


def test_a_short_job_costs_no_request(people):
    shared, _, bucket = people(announce_seconds=60)
    before = bucket.traffic.requests
    with shared.hold(KEY, nowhere) as waited:
        assert not waited
    shared.close()
    assert bucket.traffic.requests == before


def test_a_job_that_runs_long_is_announced_until_its_result_is_published(people):
    ann, _, _ = people(announce_seconds=0)
    _, bob, _ = people()
    with ann.hold(KEY, nowhere):
        until(lambda: bob.others() == {KEY})
    assert bob.others() == {KEY}
    ann.published([KEY])
    until(lambda: bob.others() == set())


def test_a_job_that_fails_is_not_waited_for(people):
    ann, _, _ = people(announce_seconds=0)
    _, bob, _ = people()

    def fail():
        with ann.hold(KEY, nowhere):
            until(lambda: bob.others() == {KEY})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    until(lambda: bob.others() == set())


def test_whoever_wants_what_somebody_else_runs_waits(people):
    ann, _, _ = people(announce_seconds=0)
    bob, seen, _ = people(announce_seconds=60)
    done = threading.Event()

    def wait():
        bob.note(seen.others())
        with bob.hold(KEY, nowhere) as waited:
            assert waited
            done.set()

    with ann.hold(KEY, nowhere):
        until(lambda: seen.others() == {KEY})
        thread = threading.Thread(target=wait)
        thread.start()
        assert not done.wait(0.1)
    assert not done.is_set()
    ann.published([KEY])
    thread.join(20)
    assert done.is_set()


def test_a_wait_can_be_interrupted(people):
    ann, _, _ = people(announce_seconds=0)
    bob, seen, _ = people()
    with ann.hold(KEY, nowhere):
        until(lambda: seen.others() == {KEY})
        bob.note([KEY])
        bob.stop()
        with pytest.raises(KeyboardInterrupt), bob.hold(KEY, nowhere):
            raise AssertionError("not reached")


def test_a_remote_that_does_not_answer_is_as_one_without_leases(tmp_path):
    def fail():
        raise OSError("no route")

    shared = SharedLeases(fail, announce_seconds=0, ask_seconds=0.01)
    shared.note([KEY])
    with shared.hold(KEY, nowhere) as waited:
        assert waited
    shared.close()
