"""A network with faults, a server that is killed, keys that are wrong: all is whole in the end, or a line says why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.porcelain.sharing.test_two_clones import Clone
from tests.servers.place import Place
from tests.servers.proxy import FAULTY, FaultyProxy
from tests.servers.s3 import OWNER, READER, Moto, Seaweed

Put = Callable[..., FaultyProxy]


def fails_in_one_line(clone: Clone, *words: str, **environment: str) -> str:
    """Run a command that has to fail, and return what it says: one error, perhaps with a hint."""
    done = clone.runs(*words, **environment)
    assert done.returncode == 1, done
    lines = done.stderr.splitlines()
    assert lines[0].startswith("acc: "), done
    assert [line for line in lines[1:] if not line.startswith("hint: ")] == []
    return lines[0]


def does_in_the_end(clone: Clone, *words: str) -> None:
    """Run a command until it succeeds; whenever it does not, it says so in a line."""
    for _ in range(5):
        done = clone.runs(*words)
        assert "Traceback" not in done.stderr
        if done.returncode == 0:
            return
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) <= 2, done.stderr
    raise AssertionError(done)


def work_together(ann: Clone, bob: Clone) -> None:
    """Do a bit of everything."""
    ann.does("build")
    does_in_the_end(ann, "push")
    does_in_the_end(bob, "fetch")
    bob.does("build")
    does_in_the_end(bob, "pull", "--all-objects")
    does_in_the_end(bob, "gc", "--remote", "origin", "--grace", "now")
    does_in_the_end(bob, "fsck", "--remote", "origin", "--full")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_through_a_bad_network_all_arrives_in_the_end(
    seaweed: Seaweed, faulty_proxy: Put, tmp_path: Path, seed: int
) -> None:
    proxy, good = faulty_proxy(seaweed.url, FAULTY, seed=seed), faulty_proxy(seaweed.url)
    place, other = seaweed.new_place(), seaweed.new_place()
    work_together(*(Clone(tmp_path / f"good-{name}", other.through(good.url)) for name in ("ann", "bob")))
    ann, bob = (Clone(tmp_path / name, place.through(proxy.url)) for name in ("ann", "bob"))
    work_together(ann, bob)
    faults = sum(request.fault not in (None, "slow") for request in proxy.requests)
    assert faults > 0
    # what is lost is sent again, and little besides
    assert len(proxy.requests) <= 1.5 * len(good.requests) + 4 * faults
    assert proxy.sent_bytes <= 3 * good.sent_bytes
    direct = Clone(tmp_path / "carl", place)
    direct.does("pull", "-q", "--all-objects")
    assert {*direct.labels().values()} == {*ann.labels().values()} == {*bob.labels().values()}
    direct.does("fsck")
    direct.does("fsck", "--remote", "origin", "--full")


def test_a_stale_listing_breaks_nothing(moto: Moto, faulty_proxy: Put, tmp_path: Path) -> None:
    proxy, place = faulty_proxy(moto.url), moto.new_place()
    ann, bob = Clone(tmp_path / "ann", place), Clone(tmp_path / "bob", place.through(proxy.url))
    ann.does("build")
    ann.does("push")
    proxy.remember_listings()
    bob.does("fetch")
    ann.folder.write("input/numbers.txt", "2 2")
    ann.does("build")
    ann.does("push")
    proxy.serve_stale_listings()
    bob.does("build")
    bob.does("push")
    bob.does("gc", "--remote", "origin")
    proxy.serve_stale_listings(False)
    ann.does("fsck", "--remote", "origin", "--full")
    ann.does("pull")
    bob.does("pull")
    assert {*ann.labels().values()} == {*bob.labels().values()} == {*ann.there().values()}


def test_what_was_pushed_outlives_the_death_of_the_server(own_seaweed: Seaweed, tmp_path: Path) -> None:
    place = own_seaweed.new_place()
    ann, bob = Clone(tmp_path / "ann", place), Clone(tmp_path / "bob", place)
    ann.does("build")
    ann.does("push")
    own_seaweed.kill()
    assert "does not answer" in fails_in_one_line(bob, "fetch")
    assert own_seaweed.start()
    ann.does("fsck", "--remote", "origin", "--full")
    bob.does("pull", "--all-objects")
    assert {*ann.labels().values()} == {*bob.labels().values()}
    bob.does("fsck")


@pytest.fixture
def shared(seaweed: Seaweed, tmp_path: Path) -> Place:
    """A place where Ann has pushed her jobs."""
    place = seaweed.new_place()
    ann = Clone(tmp_path / "ann", place)
    ann.does("build")
    ann.does("push")
    return place


def test_who_may_only_read_fetches_and_is_told_that_he_may_not_push(
    shared: Place, seaweed: Seaweed, faulty_proxy: Put, tmp_path: Path
) -> None:
    proxy = faulty_proxy(seaweed.url)
    reader = Clone(tmp_path / "reader", shared.known_by(*READER).through(proxy.url))
    reader.does("pull")
    reader.folder.write("input/numbers.txt", "3 1")
    built = reader.runs("build")
    assert built.returncode == 0
    assert "access is denied" in built.stderr
    proxy.forget()
    assert "access is denied" in fails_in_one_line(reader, "push")
    denied = [request for request in proxy.requests if request.status == 403]
    assert len(denied) <= 2  # two packs may be under way
    Clone(tmp_path / "owner", shared).does("fsck", "--remote", "origin", "--full")


KEYS = {
    "wrong secret": {"AWS_SECRET_ACCESS_KEY": "no-such-secret"},
    "unknown key": {"AWS_ACCESS_KEY_ID": "nobody"},
    "expired": {"AWS_SESSION_TOKEN": "a-token-of-yesterday", "AWS_ACCESS_KEY_ID": "expired"},
    "none": {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_CONFIG_FILE": "/nowhere",
    },
}


@pytest.mark.parametrize("keys", KEYS)
def test_with_wrong_keys_one_line_says_so_and_nothing_is_tried_again(
    shared: Place, seaweed: Seaweed, faulty_proxy: Put, tmp_path: Path, keys: str
) -> None:
    proxy = faulty_proxy(seaweed.url)
    clone = Clone(tmp_path / "bob", shared.known_by(*OWNER).through(proxy.url))
    for words in (["fetch"], ["ls-remote"], ["fsck", "--remote", "origin"]):
        proxy.forget()
        assert "access is denied" in fails_in_one_line(clone, *words, **KEYS[keys])
        assert len(proxy.requests) <= 1
    built = clone.runs("build", **KEYS[keys])
    assert built.returncode == 0
    assert "left out of this build" in built.stderr
