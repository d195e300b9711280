"""fsck, gc, repair and du of a project whose blobs are at a remote: nothing is fetched, and nothing is damage."""

import json
import shutil

import pytest

from cas.local.gc import collect
from cas.oid import ObjectId
from porcelain import config, storage
from tests.porcelain.sharing.projects import name_remote, send_all, take_all
from tests.projects import Folder

METHODS = {
    "mine/a_make.py": """
        def synthesis(job):
            job.json_save(list(range(100)), "a.json")
            job.json_save("b", "b.json")
        """,
    "build.py": """
        def main(urd):
            urd.build("make")
        """,
}


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    root = tmp_path_factory.mktemp("ann")
    folder = Folder(root / "project", METHODS)
    name_remote(folder, (root / "remote").as_uri())
    folder.acc("build")
    send_all(folder.root)
    return folder


@pytest.fixture
def remote(ann, tmp_path):
    """A copy of the remote, to be hurt."""
    shutil.copytree(ann.root.parent / "remote", tmp_path / "remote")
    return tmp_path / "remote"


@pytest.fixture
def bob(remote, tmp_path):
    folder = Folder(tmp_path / "bob", METHODS)
    name_remote(folder, remote.as_uri())
    take_all(folder.root)
    return folder


def objects(folder: Folder) -> set[ObjectId]:
    return set(storage.open_store(config.load(folder.root)).ids())


def fsck(folder: Folder, *arguments: str, code: int = 0):
    return json.loads(folder.acc("fsck", "--json", *arguments, code=code).split("\nhint")[0])


def test_promised_blobs_are_counted_and_no_damage(bob):
    before = objects(bob)
    report = fsck(bob)
    assert report["sound"]
    assert report["promised"] >= 3
    assert f"sound; {report['promised']} more at remotes only" in bob.acc("fsck")
    assert objects(bob) == before


def test_a_blob_that_nobody_has_is_damage_as_ever(bob, remote):
    toml = bob.root / "acc.toml"
    toml.write_text(toml.read_text().partition("[remotes")[0])
    assert {problem["kind"] for problem in fsck(bob, code=1)["problems"]} == {"missing"}


def test_caches_may_go_and_one_look_at_the_remote_finds_what_is_promised(bob):
    promised = fsck(bob)["promised"]
    shutil.rmtree(bob.root / ".acc" / "cache")
    assert fsck(bob)["promised"] == promised
    shutil.rmtree(bob.root / ".acc" / "cache")
    assert '"b"' in bob.acc("cat-file", "-p", "make:b.json")


def test_what_an_unknown_remote_may_have_is_said_when_it_cannot_be_asked(bob, remote):
    shutil.rmtree(bob.root / ".acc" / "cache")
    (remote / "format").write_text("no format")
    said = bob.acc("fsck", code=1)
    assert "what is missing may be at a remote" in said
    assert "missing" in said


def test_gc_leaves_what_is_promised_and_all_that_is_here(bob):
    before = objects(bob)
    bob.acc("gc", "--prune", "now")
    assert objects(bob) == before
    assert fsck(bob)["sound"]


def test_gc_takes_what_was_known_of_a_remote_that_is_named_no_more(bob):
    (mirror,) = (bob.root / ".acc" / "cache" / "remotes").iterdir()
    bob.acc("gc")
    assert mirror.exists()
    toml = bob.root / "acc.toml"
    toml.write_text(toml.read_text().partition("[remotes")[0])
    bob.acc("gc")
    assert not mirror.exists()


def test_a_node_in_the_trash_comes_back_though_its_blobs_are_promised(bob):
    project = config.load(bob.root)
    store, refs = storage.open_store(project), storage.open_refs(project)
    run = refs.find("jobs/dev/1")
    with refs.transaction("drop") as transaction:
        names = [name for name, _ in refs.names()]
        for name in names:
            transaction.delete(name)
    collect(store, refs, grace_seconds=3600)
    assert not store.has(run)
    assert store.hold([run]) == {run}
    assert store.has(run)
    store.pins.release()


def test_damage_is_mended_from_a_remote(bob):
    blob = ObjectId(bob.acc("rev-parse", "make:a.json").strip())
    bob.acc("cat-file", "-p", blob)
    project = config.load(bob.root)
    path, entry = storage.open_store(project).packs.find_place(bytes.fromhex(blob))
    with open(path, "r+b") as file:
        file.seek(entry.start + 5)
        file.write(b"\0\0\0\0")
    assert {problem["kind"] for problem in fsck(bob, code=1)["problems"]} == {"corrupt"}
    repaired = fsck(bob, "--repair")["repaired"]
    assert {"what": "fetched", "subject": blob} in repaired


def test_what_is_promised_takes_nothing_here(ann, bob):
    def cost(folder):
        (job,) = json.loads(folder.acc("du", "--json"))["jobs"]
        return job["alone"]

    assert cost(bob)["raw_bytes"] == cost(ann)["raw_bytes"]
    assert cost(bob)["stored_bytes"] < cost(ann)["stored_bytes"]


def test_a_remote_that_is_gone_is_named_with_the_object(bob, remote):
    shutil.rmtree(remote / "packs")
    said = bob.acc("cat-file", "-p", "make:b.json", code=1)
    assert len(said.splitlines()) == 2
    assert "origin" in said
    assert bob.acc("rev-parse", "make:b.json")[:12] in said


@pytest.mark.parametrize("spoil", ["pack", "index", "log"])
def test_flipped_bytes_of_a_remote_reach_nobody(bob, remote, spoil):
    folder = {"pack": "packs", "index": "idx", "log": "log"}[spoil]
    if spoil != "pack":
        shutil.rmtree(bob.root / ".acc" / "cache")
    for path in (remote / folder).iterdir():
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[::7] = bytes(byte ^ 0x20 for byte in data[::7])
        path.write_bytes(data)
    said = bob.acc("cat-file", "-p", "make:a.json", code=1)
    assert said.startswith("acc: ")
    assert "Traceback" not in said
