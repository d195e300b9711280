"""A builder elsewhere waits for a job that runs long, and costs a short one no request."""

import itertools
import threading
import time

import pytest

from cas.remote.bucket import Bucket
from cas.remote.leases import Leases
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from jobs.nodes.run import ActionKey
from jobs.remote.sharedlease import Pace, SharedLeases

_numbers = itertools.count()
KEY = ActionKey("ab" * 32)


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
        pace = Pace(**{"ask_seconds": 0.01, "beat_seconds": 0.02, **seconds})
        leases = Leases(remote, f"builder {next(_numbers)}", stale_seconds=pace.stale_seconds)
        shared = SharedLeases(lambda: leases, pace)
        made.append(shared)
        return shared, leases, remote.bucket

    yield make
    for shared in made:
        shared.close()


def awaiting(shared, key=KEY, **patience):
    """Wait in a thread; return it, and whom it was told that it waits for."""
    told = []
    thread = threading.Thread(target=lambda: shared.wait(key, told.append, **patience))
    thread.start()
    return thread, told


def test_a_short_job_costs_no_request(people):
    shared, _, bucket = people(announce_seconds=60)
    before = bucket.traffic.requests
    with shared.hold(KEY):
        assert not shared.is_held_elsewhere(KEY)
    shared.close()
    assert bucket.traffic.requests == before


def test_a_job_that_runs_long_is_announced_until_its_result_is_published(people):
    ann, _, _ = people(announce_seconds=0)
    _, bob, _ = people()
    with ann.hold(KEY):
        until(lambda: bob.others() == {KEY})
    assert bob.others() == {KEY}
    until(lambda: ann.is_announced(KEY))
    ann.published([KEY])
    until(lambda: bob.others() == set())


def test_what_ends_while_it_is_announced_is_waited_for_by_nobody(people):
    ann, held, _ = people(announce_seconds=0)
    _, bob, _ = people()
    take, taken, go = held.take, threading.Event(), threading.Event()

    def slow(key):
        is_ours = take(key)
        taken.set()
        go.wait(20)
        return is_ours

    held.take = slow
    with ann.hold(KEY):
        assert taken.wait(20)
    go.set()
    until(lambda: bob.others() == set())


def test_a_job_that_fails_is_not_waited_for(people):
    ann, _, _ = people(announce_seconds=0)
    _, bob, _ = people()

    def fail():
        with ann.hold(KEY):
            until(lambda: bob.others() == {KEY})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    until(lambda: bob.others() == set())


def test_whoever_wants_what_somebody_else_runs_waits_and_knows_for_whom(people):
    ann, held, _ = people(announce_seconds=0)
    bob, seen, _ = people()
    with ann.hold(KEY):
        until(lambda: seen.others() == {KEY})
        bob.note([KEY])
        assert bob.is_held_elsewhere(KEY)
        thread, told = awaiting(bob)
        until(lambda: told)
    assert told == [held.holder]
    assert thread.is_alive()
    until(lambda: ann.is_announced(KEY))
    ann.published([KEY])
    thread.join(20)
    assert not thread.is_alive()
    bob.note([KEY])
    assert not bob.is_held_elsewhere(KEY)


def test_one_who_died_is_waited_for_until_he_has_stood_still_and_then_taken_over(people):
    _, dead, _ = people()
    assert dead.take(KEY)
    bob, seen, _ = people(stale_seconds=0.2, announce_seconds=60)
    thread, told = awaiting(bob)
    thread.join(20)
    assert told == [dead.holder]
    with bob.hold(KEY):
        until(lambda: bob.is_announced(KEY))
        assert not dead.beat(KEY)
        assert seen.others() == set()


def test_a_wait_can_be_interrupted(people):
    ann, _, _ = people(announce_seconds=0)
    bob, seen, _ = people()
    with ann.hold(KEY):
        until(lambda: seen.others() == {KEY})
        bob.stop()
        with pytest.raises(KeyboardInterrupt):
            bob.wait(KEY, lambda _: None)


def test_a_wait_ends_with_the_patience_for_it(people):
    ann, _, _ = people(announce_seconds=0)
    bob, seen, _ = people()
    with ann.hold(KEY):
        until(lambda: seen.others() == {KEY})
        thread, told = awaiting(bob, patience_seconds=0.2)
        thread.join(20)
        assert told
        assert seen.others() == {KEY}


def test_what_is_held_here_is_not_waited_for_here(people):
    ann, _, _ = people(announce_seconds=0)
    with ann.hold(KEY):
        until(lambda: ann.is_announced(KEY))
        ann.note([KEY])
        assert not ann.is_held_elsewhere(KEY)


def test_all_leases_end_with_the_build(people):
    ann, _, _ = people(announce_seconds=0)
    _, bob, _ = people()
    with ann.hold(KEY):
        until(lambda: bob.others() == {KEY})
    ann.close()
    assert bob.others() == set()


def test_a_remote_that_does_not_answer_is_as_one_without_leases():
    def fail():
        raise OSError("no route")

    shared = SharedLeases(fail, Pace(announce_seconds=0, ask_seconds=0.01, stale_seconds=0.1))
    told = []
    shared.wait(KEY, told.append)
    with shared.hold(KEY):
        assert not shared.is_announced(KEY)
    shared.close()
    assert told == []


def test_a_remote_that_never_answers_keeps_nobody():
    go = threading.Event()

    def hang():
        go.wait(60)
        raise OSError("no route")

    shared = SharedLeases(hang, Pace(stale_seconds=0.1))
    begun = time.monotonic()
    shared.wait(KEY, lambda _: None)
    shared.close()
    assert time.monotonic() - begun < 20
    go.set()
