"""What a push sends: under which labels, what stays as it is there, what is deleted."""

import json
import shutil
import subprocess
import sys

import pytest

from cas.local.pins import release_all
from cas.oid import oid_of
from jobs.nodes.facts import Fact
from jobs.nodes.run import Failure
from porcelain.storage import open_remote

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


def there(member):
    """Return the refs of the remote."""
    remote = open_remote(member.resolver.config, "origin")
    remote.look()
    return dict(remote.mirror.refs.names())


def test_finished_jobs_get_their_labels_there_and_their_actions(member):
    ann = member("ann")
    first = ann.job("csvimport", files={"a.csv": b"1"})
    last = ann.job("plot", jobs={"source": first})
    ann.job("plot", failure=BROKEN)
    out = ann.does("push")
    assert out.splitlines()[:3] == [
        "job    there         method",
        "dev-1  dev-1@origin  csvimport",
        "dev-2  dev-2@origin  plot",
    ]
    assert there(ann) == {
        f"actions/{first.key}": first.run,
        f"actions/{last.key}": last.run,
        "jobs/dev/1": first.run,
        "jobs/dev/2": last.run,
    }


def test_a_label_that_is_another_ones_there_is_the_next_free_one(member):
    ann, bo = member("ann"), member("bo")
    theirs = ann.job("csvimport")
    ann.does("push")
    bo.job("other")
    second = bo.job("third")
    shown = json.loads(bo.does("push", "--json"))
    assert [(job["job"], job["there"]) for job in shown["jobs"]] == [
        ("dev-1", "dev-3@origin"),
        ("dev-2", "dev-2@origin"),
    ]
    assert there(ann)["jobs/dev/1"] == theirs.run
    assert there(ann)["jobs/dev/2"] == second.run


def test_what_has_a_label_there_is_not_pushed_again(member):
    ann, bo = member("ann"), member("bo")
    ann.job("csvimport")
    ann.does("push")
    bo.job("other")
    bo.does("pull")
    before = there(ann)
    assert "has it all" in ann.does("push")
    assert "has it all" in ann.does("push", "dev-1")
    shown = json.loads(bo.does("push", "--json"))
    assert [job["method"] for job in shown["jobs"]] == ["other"]
    assert len([name for name in there(ann) if name.startswith("jobs/")]) == len(before)


def test_a_job_that_is_named_goes_with_those_that_it_was_made_from(member):
    ann = member("ann")
    first = ann.job("csvimport")
    ann.job("unrelated")
    last = ann.job("plot", jobs={"source": first})
    ann.does("push", "origin", "plot")
    assert {name: run for name, run in there(ann).items() if name.startswith("jobs/")} == {
        "jobs/dev/1": first.run,
        "jobs/dev/3": last.run,
    }


def test_a_dry_run_says_what_would_go_and_makes_nothing(member, tmp_path):
    ann = member("ann")
    ann.job("csvimport", files={"a.csv": b"1"})
    code, out, err = ann.acc("push", "--dry-run")
    assert (code, err) == (0, "there is no remote at 'origin' yet; a push would make one\n")
    assert "would go to origin: 1 job\n" in out
    assert not (tmp_path / "bucket").exists()


@pytest.mark.parametrize("words", [["dev-9"], ["origin", "nothing"], ["results/none"]], ids=" ".join)
def test_what_is_not_there_is_an_error_and_nothing_goes(member, tmp_path, words):
    ann = member("ann")
    ann.job("csvimport")
    code, _, err = ann.acc("push", *words)
    assert code == 1
    assert words[-1] in err
    assert not (tmp_path / "bucket").exists()


def test_a_failed_job_is_not_shared(member):
    ann = member("ann")
    ann.job("csvimport", failure=BROKEN)
    code, _, err = ann.acc("push", "dev-1")
    assert (code, err) == (1, "acc: job 'dev-1' failed, and failed jobs are not shared\n")


def test_an_action_that_the_remote_has_is_kept_and_what_came_out_differently_is_said(member):
    ann, bo = member("ann"), member("bo")
    # the key of a job made by hand is its number
    first = ann.job("csvimport", files={"a": b"1"})
    other = bo.job("csvimport", files={"a": b"2"})
    assert first.key == other.key
    ann.does("push")
    code, _, err = bo.acc("push")
    assert code == 0
    assert "job 'dev-1' (csvimport) is not reproducible: it came out as another than dev-1@origin" in err
    assert there(ann)[f"actions/{first.key}"] == first.run


def test_what_came_out_equal_is_not_said(member):
    ann, bo = member("ann"), member("bo")
    ann.job("csvimport", files={"a": b"1"})
    bo.job("csvimport", files={"a": b"1"})
    ann.does("push")
    assert bo.acc("push")[2] == ""


def test_a_deleted_label_stays_deleted_until_somebody_names_it(member):
    ann, bo = member("ann"), member("bo")
    row = ann.job("csvimport")
    ann.does("push")
    bo.does("pull")
    assert ann.does("push", "--delete", "dev-1@origin").startswith("deleted jobs/dev/1@origin\n")
    assert there(ann) == {}
    for each in (ann, bo):
        assert "1 deleted there and left out" in each.does("push")
    assert there(ann) == {}
    bo.does("push", "dev-1")
    # the number is not given again
    assert there(ann) == {f"actions/{row.key}": row.run, "jobs/dev/2": row.run}


@pytest.mark.parametrize("name", ["dev-1", "jobs/dev/1", "first"])
def test_what_another_job_was_made_from_is_not_deleted(member, name):
    ann = member("ann")
    first = ann.job("first")
    ann.job("second", jobs={"source": first})
    ann.does("push")
    before = there(ann)
    code, _, err = ann.acc("push", "--delete", f"{name}@origin")
    assert (code, err) == (
        1,
        "acc: 'dev-1@origin' cannot be deleted: 'dev-2@origin' needs it\nhint: delete that too, or before\n",
    )
    assert there(ann) == before
    ann.does("push", "--delete", f"{name}@origin", "dev-2@origin")
    assert there(ann) == {}


def test_of_two_who_push_the_same_numbers_at_once_nobody_loses_a_label(member):
    members = [member(name) for name in ("ann", "bob", "cat")]
    for each in members:
        for number in range(5):
            each.job(f"{each.root.name}_{number}")
    command = [sys.executable, "-m", "acc", "push", "-q"]
    pushes = [subprocess.Popen(command, cwd=each.root, stderr=subprocess.DEVNULL) for each in members]
    assert [running.wait() for running in pushes] == [0, 0, 0]
    labelled = [run for name, run in there(members[0]).items() if name.startswith("jobs/")]
    assert sorted(labelled) == sorted(run for each in members for run in each.labels().values())


def test_a_private_job_gets_a_label_and_no_action(member):
    ann = member("ann")
    row = ann.job("csvimport", facts=[Fact("read", "/home/ann/secret.csv", "")])
    ann.does("push")
    assert there(ann) == {"jobs/dev/1": row.run}


def test_a_remote_that_was_wiped_gets_all_again(member, tmp_path):
    ann = member("ann")
    row = ann.job("csvimport", files={"a": b"1"})
    ann.does("push")
    shutil.rmtree(tmp_path / "bucket")
    assert "to origin: 1 job\n" in ann.does("push")
    assert there(ann)["jobs/dev/1"] == row.run
    # and what is deleted there then stays so
    ann.does("push", "--delete", "dev-1@origin")
    assert "1 deleted there and left out" in ann.does("push")


# -- what gc leaves to the remote --------------------------------------------------------------------------------


@pytest.fixture
def dropped(member):
    """A member who has pushed two jobs, and dropped the label of the first."""
    ann = member("ann")
    first, _ = ann.job("one", files={"a.txt": b"a" * 99}), ann.job("two", files={"b.txt": b"b" * 99})
    ann.does("push")
    ann.index.drop([first], "not wanted here")
    release_all()  # else this process goes on to rely on what it has put
    return ann


def test_gc_leaves_blobs_to_the_remote_that_only_its_names_reach(dropped):
    run = dropped.refs.find("remotes/origin/jobs/dev/1")
    dropped.does("gc", "--prune", "now")
    store = dropped.store.alone()
    assert (store.has(run), store.has(oid_of(b"a" * 99)), store.has(oid_of(b"b" * 99))) == (True, False, True)
    assert dropped.acc("fsck")[0] == 0
    # and it comes again when it is read
    assert dropped.does("cat-file", "-p", "dev-1@origin:a.txt") == "a" * 99
    assert dropped.store.alone().has(oid_of(b"a" * 99))


def test_gc_keeps_blobs_of_which_nobody_knows_that_the_remote_has_them(dropped):
    shutil.rmtree(dropped.root / ".acc/cache")
    dropped.does("gc", "--prune", "now")
    assert dropped.store.alone().has(oid_of(b"a" * 99))


def test_what_was_left_to_the_remote_is_whole_again_under_a_label(dropped):
    dropped.does("gc")
    dropped.does("pull", "dev-1")
    assert dropped.acc("fsck")[0] == 0
    dropped.does("gc", "--prune", "now")
    assert dropped.does("cat-file", "-p", "one:a.txt") == "a" * 99


def test_what_lacks_an_object_is_left_out_and_the_others_go(member):
    ann = member("ann")
    sound = ann.job("csvimport", files={"a.csv": b"1"})
    hurt = ann.job("csvimport", files={"b.csv": b"2"})
    above = ann.job("plot", jobs={"source": hurt})
    ann.resolver.store.delete(oid_of(b"2"))
    code, _, err = ann.acc("push")
    assert code == 1
    assert f"'{hurt.label}' was not sent: object '{oid_of(b'2')[:12]}' is neither here nor at a remote" in err
    assert f"'{above.label}' was not sent" in err
    assert {name: run for name, run in there(ann).items() if name.startswith("jobs/")} == {
        "jobs/dev/1": sound.run
    }
