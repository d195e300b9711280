"""A writer of refs that is killed, wherever it was, leaves what was before its transaction or what was after."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cas.local.database import Connection
from cas.local.refs import LocalRefs
from cas.oid import oid_of
from tests.cas.local.refdata import JOBS, A, B, C, put, row


@pytest.fixture
def path(tmp_path):
    return tmp_path / "refs.sqlite"


def state(path):
    """Return all that refs hold, seen by a process that opens them anew."""
    refs = LocalRefs(path, [JOBS])
    try:
        assert refs.damage() == []
        return dict(refs.names()), refs.select("jobs"), [(entry.name, entry.new) for entry in refs.log()]
    finally:
        refs.close()


def killed_at(step, work, is_step):
    """Run `work` in a child that kills itself where `is_step` is true for the `step`th time; return whether it did."""
    child = os.fork()
    if child == 0:
        left = [step]

        def watch(*event):
            if is_step(*event):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            work(watch)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def is_statement(frame, event, _):
    """Whether a profiled process is just before a statement, or just behind it."""
    return frame.f_code is Connection.run.__code__ and event in ("call", "return")


def test_a_writer_killed_between_any_two_statements_leaves_the_old_or_the_new_state(path):
    refs = LocalRefs(path, [JOBS])
    put(refs, label=A, gone=A)

    def write(watch):
        sys.setprofile(watch)
        with refs.transaction("test") as transaction:
            transaction.set("label", B, old=A)
            transaction.set("action", B, old=None)
            transaction.delete("gone")
            transaction.insert("jobs", row(1))

    old, seen = state(path), []
    for step in range(1, 100):
        was_killed = killed_at(step, write, is_statement)
        seen.append(state(path))
        if not was_killed:
            break
        if seen[-1] != old:
            # it was committed; the next one begins where this one did
            refs.close()
            path.unlink()
            put(refs, label=A, gone=A)
    assert step > 15
    new = seen[-1]
    assert new[:2] == ({"label": B, "action": B}, [row(1)])
    # killed before the commit: nothing; behind it: all
    assert seen == [old] * seen.index(new) + [new] * (len(seen) - seen.index(new))
    assert 1 < seen.index(new) < len(seen) - 1
    refs.close()


def test_a_commit_of_which_a_part_was_written_is_seen_whole_or_not_at_all(path, tmp_path):
    refs = LocalRefs(path, [JOBS])
    put(refs, label=A)
    log = path.with_name("refs.sqlite-wal")
    before = log.stat().st_size
    with refs.transaction("test") as transaction:
        transaction.set("label", B)
        transaction.set("action", B)
        transaction.insert("jobs", row(1))
    data, written = path.read_bytes(), log.read_bytes()
    refs.close()
    seen = set()
    for length in [*range(before, len(written), 1001), len(written)]:
        copy = tmp_path / str(length) / "refs.sqlite"
        copy.parent.mkdir()
        copy.write_bytes(data)
        copy.with_name("refs.sqlite-wal").write_bytes(written[:length])
        names, rows, _ = state(copy)
        seen.add((names["label"], names.get("action"), len(rows)))
        shutil.rmtree(copy.parent)
    assert seen == {(A, None, 0), (B, B, 1)}


def test_a_killed_writer_keeps_nobody_waiting(path):
    refs = LocalRefs(path)
    put(refs, a=A)

    def write(watch):
        with refs.transaction("test") as transaction:
            transaction.set("a", B)
            watch()

    assert killed_at(1, write, lambda: True)
    put(refs, a=C)
    assert [entry.new for entry in refs.log("a")] == [C, A]
    refs.close()


def test_refs_killed_while_others_take_their_place_are_the_old_or_the_new_ones(path):
    refs = LocalRefs(path, [JOBS])
    put(refs, a=A)
    changes = {"os.rename", "os.link", "os.remove"}

    def replace(watch):
        sys.addaudithook(watch)
        with refs.draft() as draft:
            put(draft, a=B)
            refs.replace_by(draft)

    seen = []
    for step in range(1, 20):
        was_killed = killed_at(step, replace, lambda event, _: event in changes)
        seen.append(state(path)[0]["a"])
        if not was_killed:
            break
    assert step > 4
    assert seen[0] == A
    assert seen[-1] == B
    assert set(seen) == {A, B}
    kept = path.with_name("refs.sqlite.damaged-1")
    assert state(kept)[0] == {"a": A}
    refs.close()


WRITER = """
import itertools, pathlib, sys
from cas.local.refs import LocalRefs
from cas.oid import oid_of
refs = LocalRefs(pathlib.Path(sys.argv[1]))
for number in itertools.count(int(sys.argv[2])):
    with refs.transaction(str(number)) as transaction:
        transaction.set("one", oid_of(b"%d" % number))
        transaction.set("two", oid_of(b"%d" % number))
    print(number, flush=True)
"""


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_state(path, rounds):
    rng = random.Random(2)
    last = 0
    for _ in range(rounds):
        command = [sys.executable, "-c", WRITER, path, str(last + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            lines = [child.stdout.readline() for _ in range(rng.randrange(1, 4))]
            time.sleep(rng.random() / 200)
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.readlines()
        said = [int(line) for line in lines if line.endswith("\n")]
        last = max([last, *said])
        refs = LocalRefs(path)
        found = refs.find("one")
        assert found == refs.find("two")
        # the transaction whose end was not told any more may have been committed
        if found is not None or last:
            assert found in {oid_of(b"%d" % last), oid_of(b"%d" % (last + 1))}
        if found == oid_of(b"%d" % (last + 1)):
            last += 1
        assert refs.damage() == []
        refs.close()
