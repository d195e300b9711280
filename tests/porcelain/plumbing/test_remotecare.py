"""`acc fsck --remote` and `acc gc --remote`: what they say of a folder that is a remote."""

import json
import random
import shutil

import pytest

from cas.oid import oid_of
from cas.remote.transaction import Change
from cas.remote.transfer.push import push
from porcelain import config, storage


@pytest.fixture
def origin(project):
    """The remote of the project, which has one job under a label and as an action, and an old one as an action."""
    with (project.root / "acc.toml").open("a") as file:
        file.write(f'[remotes.origin]\nurl = "file://{project.root}/shared"\n')
    remote = storage.open_remote(config.load(project.root), "origin")
    kept, old = (project.job("make", files={name: name.encode() * 9}) for name in ("kept", "old"))
    refs = {"jobs/ann/4": kept.run, f"actions/{kept.key}": kept.run, f"actions/{old.key}": old.run}
    remote.make()
    push(project.store, remote, [*refs.values()], lambda _: refs)
    return remote


def test_a_sound_remote(acc, origin):
    code, out, err = acc("fsck", "--remote", "origin", "--full")
    assert (code, out) == (0, "")
    assert err == "'origin': 3 files, 10 objects and 3 refs checked: sound\n"


def test_damage_is_named_with_whom_it_hurts(acc, origin, project):
    key = f"packs/{origin.mirror.find_packed(oid_of(b'kept' * 9)).pack}.pack"
    (project.root / "shared" / key).unlink()
    code, out, err = acc("fsck", "--remote", "origin")
    assert (code, out) == (1, f"missing\t{key}\tthe file is gone\tann-4\n")
    assert "1 problem" in err
    assert "'acc push --repair origin' mends it from here" in err
    code, out, _ = acc("fsck", "--remote", "origin", "--json")
    assert code == 1
    report = json.loads(out)
    assert (report["sound"], len(report["damaged"]), report["here"]) == (False, 3, report["damaged"])
    assert report["problems"][0]["hurts"] == ["ann-4"]


@pytest.mark.parametrize("lost", ["packs", "idx", "log", "format", "all but the log"])
def test_what_is_lost_is_mended_from_here(acc, origin, project, lost):
    for folder in ("packs", "idx", "format") if lost == "all but the log" else (lost,):
        for path in [*(project.root / "shared").glob(f"{folder}/*"), project.root / "shared" / folder]:
            if path.is_file():
                path.unlink()
    assert acc("fsck", "--remote", "origin")[0] == 1
    code, out, err = acc("push", "--repair", "origin")
    assert code == 0
    assert {line.split("\t")[0] for line in out.splitlines()} <= {"sent", "written"}
    assert "sent again" in err
    assert acc("fsck", "--remote", "origin", "--full")[0] == 0
    assert acc("push", "--repair") == (0, "", "'origin': nothing to mend\n")


def test_flipped_bytes_are_mended_by_reading_all(acc, origin, project):
    (path,) = (project.root / "shared/packs").glob(f"{origin.mirror.find_packed(oid_of(b'kept' * 9)).pack}*")
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)
    assert acc("push", "--repair", "-q") == (0, "", "")
    code, out, _ = acc("push", "--repair", "--full", "--json")
    assert code == 0
    assert json.loads(out)["sent"]
    assert acc("fsck", "--remote", "origin", "--full")[0] == 0


def test_a_lost_large_object_is_sent_again(acc, origin, project):
    noise = random.Random(3).randbytes(17 << 20)
    row = project.job("large", files={"noise": noise})
    push(project.store, origin, [row.run], lambda _: {"jobs/ann/5": row.run})
    (path,) = (project.root / "shared/objects").rglob(f"{oid_of(noise)}-*")
    path.unlink()
    code, out, _ = acc("push", "--repair")
    assert (code, out) == (0, f"sent\t{oid_of(noise)}\n")
    assert path.exists()


def test_what_nobody_here_has_is_named_with_whom_it_hurts(acc, origin, project):
    key = f"packs/{origin.mirror.find_packed(oid_of(b'kept' * 9)).pack}.pack"
    (project.root / "shared" / key).unlink()
    project.store.delete(oid_of(b"kept" * 9))
    code, out, err = acc("push", "--repair", "-q")
    assert code == 1
    assert f"lost\t{oid_of(b'kept' * 9)}\tno such blob\tann-4\n" in out
    assert "hint: whoever has what is lost sends it with the same command" in err


def test_an_empty_place_is_not_mended_but_pushed_to(acc, origin, project):
    shutil.rmtree(project.root / "shared")
    code, _, err = acc("push", "--repair")
    assert code == 1
    assert "there is no remote of acc at" in err
    assert not (project.root / "shared").exists()


def test_what_no_ref_reaches_goes_a_grace_later(acc, origin):
    origin.commit(lambda: Change("drop", refs={"jobs/ann/4": None}))
    code, out, _ = acc("gc", "--remote", "origin", "--dry-run")
    assert code == 0
    assert "dead\t0\n" in out
    code, out, _ = acc("gc", "--remote", "origin", "--older-than", "30d", "--json")
    assert code == 0
    assert json.loads(out) == {
        "reached": 0,
        "actions": 2,
        "dead": 10,
        "dead-bytes": json.loads(out)["dead-bytes"],
        "left-bytes": 0,
        "rewritten": 0,
        "dropped": 2,
        "deleted": 0,
        "freed-bytes": 0,
    }
    code, out, _ = acc("gc", "--remote", "origin", "--grace", "now")
    assert "deleted\t3\n" in out


def test_an_old_action_stays_while_a_label_reaches_its_run(acc, origin):
    code, out, _ = acc("gc", "--remote", "origin", "--older-than", "30d")
    assert code == 0
    assert "actions\t1\n" in out
    origin.look()
    assert not origin.mirror.has(oid_of(b"old" * 9))
    assert origin.mirror.has(oid_of(b"kept" * 9))


@pytest.mark.parametrize(
    "arguments",
    [
        ("fsck", "--full"),
        ("fsck", "--remote", "origin", "--fast"),
        ("fsck", "--remote", "origin", "--repair"),
        ("gc", "--grace", "1d"),
        ("gc", "--remote", "origin", "--prune", "now"),
        ("gc", "--remote", "origin", "--keep-jobs", "x"),
        ("gc", "--remote", "origin", "--grace", "soon"),
        ("push", "--full"),
        ("push", "--repair", "--delete", "dev-1@origin"),
        ("push", "--repair", "--dry-run"),
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_refused(acc, project, arguments):
    assert acc(*arguments)[0] == 2


def test_a_remote_that_is_not_there_is_told_in_a_line(acc, project):
    code, _, err = acc("fsck", "--remote", "origin")
    assert (code, err.count("\n")) == (1, 2)
    assert "no remote 'origin'" in err
