"""A remote that says what is not so: a run that does not fit its key, or that no acc could have written, is no hit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from cas.formats.node import get_node, put_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.transfer.push import push
from jobs.nodes.facts import Fact
from jobs.nodes.job import JobNode
from jobs.nodes.outcome import FileEntry, Outcome
from jobs.nodes.run import ActionKey, Failure, Run
from jobs.nodes.source import Source
from jobs.reuse.index import JobIndex
from jobs.reuse.refnames import ACTIONS
from porcelain import config, storage
from tests.porcelain.sharing.clones import Clone

FILES = {
    "mine/a_number.py": "options = dict(n=0)\n\ndef synthesis(options):\n    print(options.n)\n    return options.n\n"
}


class Nodes(NamedTuple):
    """What a run is made of."""

    run: Run
    outcome: Outcome
    source: Source


Forge = Callable[[LocalStore, Nodes], Nodes]


def forge(root: Path, change: Forge) -> None:
    """Have the keys of all jobs of a project lead to changed runs, at the remote."""
    project = config.load(root)
    store, refs = storage.open_store(project), storage.open_refs(project)
    remote = storage.open_remote(project, "origin")
    actions: dict[str, ObjectId] = {}
    for row in JobIndex(refs).rows():
        assert row.outcome is not None
        run = get_node(store, row.run, Run)
        nodes = change(
            store, Nodes(run, get_node(store, row.outcome, Outcome), get_node(store, run.source, Source))
        )
        source = put_node(store, nodes.source)
        job = put_node(store, JobNode(source, put_node(store, nodes.outcome)))
        failed = nodes.run.failure is not None
        forged = put_node(store, replace(nodes.run, source=source, job=None if failed else job))
        actions[ACTIONS + row.key] = forged
    remote.look()
    push(store, remote, actions.values(), lambda _: actions)
    refs.close()
    store.pins.release()


def with_run(**fields: object) -> Forge:
    return lambda _, nodes: nodes._replace(run=replace(nodes.run, **fields))


def with_outcome(**fields: object) -> Forge:
    return lambda _, nodes: nodes._replace(outcome=replace(nodes.outcome, **fields))


def with_file(name: str, size: int | None = None) -> Forge:
    """Give the result another name, or another size."""

    def change(_: LocalStore, nodes: Nodes) -> Nodes:
        (entry,) = nodes.outcome.files.values()
        files = {name: FileEntry(entry.blob, entry.size if size is None else size)}
        return nodes._replace(outcome=replace(nodes.outcome, files=files))

    return change


def with_inputs(_: LocalStore, nodes: Nodes) -> Nodes:
    inputs = replace(nodes.outcome.inputs, options={"n": True})
    return nodes._replace(outcome=replace(nodes.outcome, inputs=inputs))


def with_code(store: LocalStore, nodes: Nodes) -> Nodes:
    code = store.put(b"def synthesis():\n    pass\n")
    return nodes._replace(source=replace(nodes.source, files={nodes.source.main: code}))


def with_code_elsewhere(_: LocalStore, nodes: Nodes) -> Nodes:
    files = {f"../{path}": blob for path, blob in nodes.source.files.items()}
    return nodes._replace(source=replace(nodes.source, files=files))


FORGERIES: dict[str, tuple[Forge, str]] = {
    "key": (with_run(key=ActionKey("0" * 64)), "another key"),
    "method": (with_run(method="other"), "that of method 'number'"),
    "method-of-all": (
        lambda store, nodes: with_run(method="other")(store, with_outcome(method="other")(store, nodes)),
        "another method",
    ),
    "slices": (with_outcome(slices=7), "another number of slices"),
    "inputs": (with_inputs, "another inputs"),
    "environment": (with_run(environment={"python": "2.7"}), "another environment"),
    "source": (with_code, "another source"),
    "source-outside": (with_code_elsewhere, "leaves its folder"),
    "failed": (with_run(failure=Failure("no", "synthesis", None, "")), "it failed"),
    "name": (with_file("../result.pickle"), "leaves its folder"),
    "absolute": (with_file("/etc/passwd"), "leaves its folder"),
    "huge": (with_file("result.pickle", 1 << 50), "bytes long"),
    "negative": (with_file("result.pickle", -1), "-1 bytes"),
    "label": (with_run(label="../../up"), "is no label"),
    "part": (
        lambda _, nodes: with_run(output={"²": next(iter(nodes.run.output.values()))})(_, nodes),
        "a part",
    ),
    "fact": (with_run(facts=[Fact("subjob", 3, "")]), "its facts are none"),
    "private": (with_run(facts=[Fact("read", "/etc/motd", "")]), "outside the project"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_run_is_no_hit_and_is_said_to_be_none(tmp_path: Path, forgery: str) -> None:
    change, why = FORGERIES[forgery]
    url = f"file://{tmp_path}/remote"
    ann, bob = Clone(tmp_path / "ann", FILES, url), Clone(tmp_path / "bob", FILES, url, write=False)
    ann.build("number", n=1)
    forge(ann.root, change)
    assert bob.build("number", n=1) == "number built: 1"
    (warning,) = bob.warnings
    assert warning.startswith("'number' is not taken from remote 'origin'")
    assert why in warning
    assert bob.rows() == ["dev-1 number"]


def test_who_builds_such_a_job_puts_a_sound_one_in_its_place(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/remote"
    ann, bob = Clone(tmp_path / "ann", FILES, url), Clone(tmp_path / "bob", FILES, url)
    ann.build("number", n=1)
    forge(ann.root, with_file("../result.pickle"))
    assert bob.build("number", n=1) == "number built: 1"
    carl = Clone(tmp_path / "carl", FILES, url)
    assert carl.build("number", n=1) == "number reused from origin: 1"
    assert carl.warnings == []


def test_a_remote_with_much_damage_is_left_out(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/remote"
    ann, bob = Clone(tmp_path / "ann", FILES, url), Clone(tmp_path / "bob", FILES, url, write=False)
    with ann.building() as urd:
        for n in range(6):
            urd.build("number", n=n)
    for pack in (tmp_path / "remote" / "packs").iterdir():
        data = bytearray(pack.read_bytes())
        data[: len(data) // 2] = bytes(len(data) // 2)
        pack.chmod(0o644)
        pack.write_bytes(data)
    with bob.building() as urd:
        for n in range(6):
            urd.build("number", n=n)
        assert urd.got() == ["number built"] * 6
    assert len(bob.warnings) == 4
    assert bob.warnings[-1] == "remote 'origin' is left out of this build: too much there is damaged"
