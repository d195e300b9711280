"""Processes that push, and clean up, at the same time: nothing of anybody's is lost."""

import multiprocessing
from pathlib import Path

import pytest

from cas.remote.bucket import Bucket
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.transfer.push import push
from cas.remote.upkeep.fsck import check
from cas.remote.upkeep.gc import sweep
from tests.cas.remote.clones import Clone
from tests.cas.remote.upkeep.test_gc import assert_whole, forget, noise

PUSHERS = 8
ROUNDS = 6
spawn = multiprocessing.get_context("spawn")


def push_rounds(url: str, folder: Path, number: int) -> None:
    """Push a node of one's own under a new ref, and in between let go of one, again and again."""
    clone = Clone(folder, url)
    for count in range(ROUNDS):
        node = clone.node(f"{number} {count}", [noise(f"{number} {count}"), noise(f"shared {count}")])
        clone.push(**{f"jobs/{number}/{count}": node})
        if count % 2:
            forget(clone, f"jobs/{number}/{count - 1}")


def sweep_until(url: str, folder: Path, done, grace: float) -> None:
    """Clean up until all have pushed."""
    clone = Clone(folder, url)
    while not done.is_set():
        sweep(clone.store, clone.remote, grace_seconds=grace)


def run(targets) -> None:
    processes = [spawn.Process(target=target, args=arguments) for target, arguments in targets]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def wanted() -> set[str]:
    return {
        f"jobs/{number}/{count}"
        for number in range(PUSHERS)
        for count in range(ROUNDS)
        if count % 2 or count == ROUNDS - 1
    }


@pytest.mark.parametrize("sweeps", [False, True], ids=["pushers", "and gc"])
def test_eight_push_at_once(tmp_path, sweeps):
    url = f"file://{tmp_path}/shared"
    Clone(tmp_path / "first", url).remote.make()
    done = spawn.Event()
    sweeper = spawn.Process(target=sweep_until, args=(url, tmp_path / "sweeper", done, 0.0))
    if sweeps:
        sweeper.start()
    run([(push_rounds, (url, tmp_path / f"{number}", number)) for number in range(PUSHERS)])
    done.set()
    if sweeps:
        sweeper.join(60)
        assert sweeper.exitcode == 0
    last = Clone(tmp_path / "last", url)
    assert check(last.store, last.remote, full=True).problems == []
    assert assert_whole(last, tmp_path / "new").keys() == wanted()


def test_processes_of_one_machine_share_what_they_know(tmp_path):
    """They have one mirror: what one of them learns another may not take for what it has looked at itself."""
    url = f"file://{tmp_path}/shared"
    ann, bob = Clone(tmp_path / "ann", url), Clone(tmp_path / "bob", url)
    below = ann.node("below", [noise("below")])
    ann.push(below=below, other=ann.node("other"))
    first = Remote(Bucket(url), Mirror(ann.remote.mirror.folder))
    first.look()
    assert first.mirror.has(below)
    bob.remote.look()
    bob.remote.commit(lambda: Change("forget", refs={"below": None}))
    sweep(bob.store, bob.remote, grace_seconds=0)
    # a second process looks; the first one has not
    ann.remote.look()
    seen = []
    first.commit(lambda: seen.append(first.mirror.has(below)))
    assert seen == [False]
    top = ann.node("top", [], [below])
    push(ann.store, first, [top], lambda _: {"top": top})
    assert assert_whole(ann, tmp_path / "new").keys() == {"top", "other"}
