"""The commands that look after a store: fsck --repair, repack, verify-pack, count-objects, gc."""

import json
import os
import shutil
import time

import pytest

from cas.local.store import LocalStore
from cas.oid import oid_of
from jobs.nodes.result import Result
from jobs.nodes.run import Failure
from porcelain.results import ResultLinks

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


def records(out):
    """Return the records that a command printed, by their first field."""
    return dict(line.split("\t", 1) for line in out.splitlines())


def let_go(project):
    """End what the fixtures rely on, as the end of a process does."""
    project.store.pins.release()


def link(project, row, name, linkname):
    """Link a file of a job into the result directory, as a build script does."""
    blob = oid_of(b"plot")
    results = project.root / "results"
    folder = project.root / ".acc" / "jobs" / row.label
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"plot")
    ResultLinks(results, project.store, project.index.refs).link(
        Result(row.run, name, blob), linkname, folder / name
    )


# fsck


def test_fsck_repair_fetches_what_is_missing_from_another_project(acc, project, tmp_path):
    project.job("make", files={"a": b"a"})
    let_go(project)
    shutil.copytree(project.root / ".acc", tmp_path / "backup" / ".acc")
    project.store.delete(oid_of(b"a"))
    code, out, err = acc("fsck", "--repair", "--from", str(tmp_path / "backup"))
    assert (code, out) == (0, f"fetched\t{oid_of(b'a')}\n")
    assert err.endswith("sound\n")
    assert project.store.get(oid_of(b"a")) == b"a"


def test_fsck_repair_says_what_is_lost(acc, project):
    project.job("make", files={"a": b"a"})
    project.store.delete(oid_of(b"a"))
    code, out, _ = acc("fsck", "--repair")
    assert code == 1
    assert out.splitlines()[0] == f"lost\t{oid_of(b'a')}"
    assert out.splitlines()[1].startswith(f"missing\t{oid_of(b'a')}\t")
    view = json.loads(acc("fsck", "--repair", "--json")[1])
    assert view["repaired"] == [{"what": "lost", "subject": oid_of(b"a")}]


def test_fsck_says_how_damage_may_be_mended(acc, project):
    project.job("make", files={"a": b"a"})
    project.store.delete(oid_of(b"a"))
    assert "hint: 'acc fsck --repair'" in acc("fsck")[2]


def test_fsck_names_what_dangles_if_asked(acc, project):
    lost = project.store.put(b"lost")
    code, out, err = acc("fsck", "--dangling")
    assert (code, out) == (0, f"dangling\t{lost}\tno ref reaches it\t\n")
    assert "1 that no ref reaches" in err
    assert acc("fsck")[1] == ""
    assert json.loads(acc("fsck", "--dangling", "--json")[1])["dangling_objects"] == [lost]


def test_fsck_from_wants_repair(acc, project):
    assert acc("fsck", "--from", ".")[0] == 2


# repack, verify-pack, count-objects


def test_repack_packs_and_says_what_it_did(acc, project):
    project.job("make", files={"a": b"a"})
    loose = len(list(project.store.loose.ids()))
    code, out, _ = acc("repack")
    assert (code, records(out)) == (0, {"merged": "0", "packed": str(loose), "written": "1"})
    assert json.loads(acc("repack", "--all", "--json")[1]) == {
        "merged": 0,
        "packed": 0,
        "written": 0,
        "damaged": [],
    }
    assert acc("fsck")[0] == 0


def damage_pack(project):
    (path,) = project.root.glob(".acc/packs/*.pack")
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(60)
        file.write(b"?")
    return path


def test_repack_leaves_a_damaged_pack_alone(acc, project):
    project.store.put_many([b"one" * 30])
    path = damage_pack(project)
    project.store.put_many([b"two"])
    code, out, err = acc("repack", "--all")
    assert code == 1
    assert records(out)["damaged"] == str(path)
    assert "acc fsck" in err


def test_verify_pack_looks_at_all_packs_or_those_that_are_named(acc, project):
    oids = project.store.put_many([b"one" * 30, b"two"])
    (path,) = project.root.glob(".acc/packs/*.pack")
    for names in ([], [str(path)], [path.name], [path.stem[:10]]):
        assert acc("verify-pack", *names) == (0, f"ok\t{path}\n", "")
    listed = acc("verify-pack", "-v")[1].splitlines()
    assert [line.split("\t")[:2] for line in listed[:2]] == [[oids[0], "90"], [oids[1], "3"]]
    assert acc("verify-pack", "nothing")[0] == 1
    damage_pack(project)
    code, out, _ = acc("verify-pack")
    assert (code, out.split("\t")[:2]) == (1, ["corrupt", str(path)])


def test_count_objects_counts(acc, project):
    project.store.put_many([bytes(1000), bytes(2000)])
    project.store.put(b"loose")
    count, stored = acc("count-objects")[1].split("\t")
    found = records(acc("count-objects", "-v")[1])
    assert (count, found["packed"], found["packed-raw"], found["loose"]) == ("3", "2", "3000", "1")
    assert int(stored) == int(found["packed-stored"]) + int(found["loose-stored"])
    assert json.loads(acc("count-objects", "--json")[1])["packed-raw"] == 3000


# gc


def test_gc_takes_what_nothing_reaches_and_keeps_it_readable(acc, project):
    row = project.job("make", files={"a": b"a"})
    lost = project.store.put(b"lost")
    let_go(project)
    found = records(acc("gc", "-n")[1])
    assert (found["dead"], found["reached"]) == ("1", "6")
    assert LocalStore(project.store.root).has(lost)
    assert records(acc("gc")[1])["dead"] == "1"
    assert not LocalStore(project.store.root).has(lost)
    assert LocalStore(project.store.root).get(lost) == b"lost"
    freed = records(acc("gc", "--prune=now")[1])
    assert int(freed["freed-bytes"]) > 0
    assert acc("fsck")[0] == 0
    assert acc("cat-job", row.label)[0] == 0


def test_gc_drops_labels_by_age_and_says_which(acc, project):
    project.job("ancient", files={"a": b"a"})
    let_go(project)
    code, out, _ = acc("gc", "--older-than", "1d", "--dry-run")
    assert (code, out.splitlines()[0]) == (0, "drop\tdev-1\tancient")
    assert acc("log", "dev-1")[0] == 0
    assert records(acc("gc", "--older-than", "1d", "--prune", "now")[1])["dead"] != "0"
    assert acc("log", "dev-1")[0] == 1
    assert LocalStore(project.store.root).packs.packs() == []
    assert list(LocalStore(project.store.root).ids()) == []
    # numbers are not given out again
    assert project.job("next").label == "dev-2"


def test_gc_keeps_jobs_that_are_named_and_what_they_were_made_from(acc, project):
    first = project.job("first")
    project.job("other")
    second = project.job("second", jobs={"source": first})
    project.job("failed", failure=BROKEN)
    let_go(project)
    out = acc("gc", "--keep-jobs", "second")[1].splitlines()
    assert out[:2] == ["drop\tdev-2\tother", "drop\tdev-4\tfailed"]
    assert [row.label for row in project.index.rows()] == [second.label, first.label]
    view = json.loads(acc("gc", "--keep-jobs", "second", "--json")[1])
    assert view["dropped"] == []


def test_gc_keeps_what_result_links_point_to(acc, project):
    row = project.job("plot", files={"plot.png": b"plot"})
    project.job("other")
    link(project, row, "plot.png", "plot.png")
    let_go(project)
    assert acc("gc", "--older-than", "0s", "--prune=now")[1].startswith("drop\tdev-2\tother\n")
    assert [kept.label for kept in project.index.rows()] == ["dev-1"]
    assert (project.root / "results" / "plot.png").read_bytes() == b"plot"
    assert acc("fsck")[0] == 0


def test_gc_drops_an_action_with_its_last_job(acc, project):
    row = project.job("make")
    twin = row._replace(number=2, run=project.store.put(b"{}"), ended=row.ended + 5)
    project.index.publish(twin, {})
    project.index.drop([twin], "test")
    assert project.index.find_action(row.key) == row
    project.index.drop([row], "test")
    assert project.index.find_action(row.key) is None
    assert project.index.last_number("dev") == 2


def test_gc_drops_copies_that_no_result_links_to(acc, project):
    row = project.job("plot", files={"plot.png": b"plot", "b.txt": b"b"})
    link(project, row, "plot.png", "plot.png")
    folder = project.root / ".acc" / "jobs" / row.label
    for name in ("b.txt", "setup.json"):
        (folder / name).write_bytes(b"b")
    let_go(project)
    assert records(acc("gc")[1])["copies"] == "0"
    assert records(acc("gc", "--prune=now")[1])["copies"] == "1"
    assert sorted(path.name for path in folder.iterdir()) == ["plot.png", "setup.json"]


def test_gc_drops_what_killed_builds_left_and_nothing_of_one_that_runs(acc, project):
    tmp, jobs = project.root / ".acc" / "tmp", project.root / ".acc" / "jobs"
    mine = tmp / project.store.pins.name
    dead = tmp / "elsewhere-1-2"
    for folder in (mine, dead, jobs / "dev-1"):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"half")
    assert records(acc("gc", "--prune=now")[1])["scratch"] == "1"
    assert (mine.exists(), dead.exists(), (jobs / "dev-1").exists()) == (True, False, True)
    let_go(project)
    old = time.time() - 30 * 86400
    os.utime(jobs / "dev-1" / "half", (old, old))
    found = records(acc("gc")[1])
    assert (found["scratch"], found["copies"]) == ("1", "1")
    assert not mine.exists()
    assert not (jobs / "dev-1").exists()


@pytest.mark.parametrize("age", ["", "soon", "3", "-1d", "5 d"])
def test_gc_wants_an_age_it_understands(acc, project, age):
    code, _, err = acc("gc", f"--prune={age}")
    assert code == 2
    assert "is no age" in err


def test_gc_collects_nothing_while_a_node_is_missing(acc, project):
    row = project.job("make", files={"a": b"a"})
    project.store.delete(row.outcome)
    let_go(project)
    code, out, err = acc("gc", "--prune=now")
    assert (code, out) == (1, "")
    assert err.count("\n") == 2
    assert project.store.has(oid_of(b"a"))
