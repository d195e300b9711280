"""Leases at a remote: one holder at a time, as long as he lives."""

import itertools
import threading

import pytest

from cas.remote.bucket import Bucket
from cas.remote.keys import LEASES
from cas.remote.leases import STALE_SECONDS, Leases
from cas.remote.mirror import Mirror
from cas.remote.state import Remote

_numbers = itertools.count()
KEY = "ab" * 32


class Clock:
    """A clock that stands until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(params=["memory", "folder"])
def people(request, tmp_path):
    """A function that makes somebody's leases."""
    url = f"memory://leases-{next(_numbers)}" if request.param == "memory" else f"file://{tmp_path}/shared"

    def make(clock=None):
        remote = Remote(Bucket(url), Mirror(tmp_path / f"mirror-{next(_numbers)}"))
        remote.make()
        remote.look()
        return Leases(remote, clock=clock or Clock())

    return make


def test_one_holds_it_until_he_gives_it_back(people):
    ann, bob = people(), people()
    assert ann.take(KEY)
    assert not bob.take(KEY)
    assert (ann.others(), bob.others()) == (set(), {KEY})
    ann.give_back(KEY)
    assert bob.others() == set()
    assert not bob.is_alive(KEY)
    assert bob.take(KEY)


def test_who_stands_still_for_a_minute_loses_it(people):
    clock = Clock()
    ann, bob = people(), people(clock)
    assert ann.take(KEY)
    assert bob.is_alive(KEY)
    clock.now = STALE_SECONDS - 1
    assert bob.is_alive(KEY)
    assert not bob.take(KEY)
    clock.now = STALE_SECONDS
    assert not bob.is_alive(KEY)
    assert bob.take(KEY)
    assert not ann.beat(KEY)


def test_who_beats_keeps_it(people):
    clock = Clock()
    ann, bob = people(), people(clock)
    assert ann.take(KEY)
    for minute in range(5):
        clock.now = minute * (STALE_SECONDS + 1)
        assert ann.beat(KEY)
        assert not bob.take(KEY)


def test_one_who_lost_it_takes_nothing_away_from_the_next(people):
    clock = Clock()
    ann, bob = people(), people(clock)
    assert ann.take(KEY)
    assert bob.is_alive(KEY)
    clock.now = STALE_SECONDS
    assert bob.take(KEY)
    ann.give_back(KEY)
    assert ann.is_alive(KEY)


def test_of_many_who_want_it_one_gets_it(people):
    crowd = [people() for _ in range(8)]
    start, got = threading.Barrier(len(crowd)), []

    def run(leases):
        start.wait()
        if leases.take(KEY):
            got.append(leases)

    threads = [threading.Thread(target=run, args=(leases,)) for leases in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_what_is_no_lease_is_in_nobodys_way_for_long(people):
    clock = Clock()
    ann = people(clock)
    ann._bucket.put(LEASES + KEY, b"\xff")
    assert not ann.take(KEY)
    clock.now = STALE_SECONDS
    assert ann.take(KEY)
    assert ann.beat(KEY)
