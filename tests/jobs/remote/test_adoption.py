"""A run from elsewhere gets the next free label here, and everything that goes with one."""

import json
from pathlib import Path

import pytest

from jobs.job import Job
from jobs.remote.adoption import Adoption
from jobs.remote.claim import Claim, read_claim
from porcelain import config, storage
from porcelain.project import Project
from tests.porcelain.sharing.clones import Clone

FILES = {
    "mine/a_number.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_after.py": """
        from acc import build

        jobs = ("source",)

        def synthesis(jobs, job):
            job.datasetwriter(columns={"a": "int64"}).get_split_write()(1)
            return build("number", n=7).load() + jobs.source.load()
        """,
}


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Clone, Clone]:
    url = f"file://{tmp_path}/remote"
    ann, bob = Clone(tmp_path / "ann", FILES, url), Clone(tmp_path / "bob", FILES, url, write=False)
    with ann.building() as urd:
        urd.build("after", source=urd.build("number", n=1), caption="a caption")
    return ann, bob


def claims(project: Project) -> dict[str, Claim]:
    """Return the runs that the remote has, by method and result, brought here."""
    from cas.remote.transfer.fetch import fetch_nodes

    remote = storage.open_remote(project.config, "origin")
    remote.look()
    runs = [run for _, run in remote.mirror.refs.names("actions/")]
    fetch_nodes(project.store, remote, runs)
    found = [read_claim(project.store, run) for run in runs]
    return {f"{claim.run.method} {claim.run.label}": claim for claim in found}


def adoption(project: Project) -> Adoption:
    return Adoption(project.store, project.index, project.config.workdirs, project.config.input_directory)


def test_an_adopted_run_is_a_job_like_any_other(clones: tuple[Clone, Clone]) -> None:
    bob = clones[1]
    bob.build("number", n=99)
    with Project(config.load(bob.root)) as project:
        adopting, found = adoption(project), claims(project)
        first = adopting.adopt(found["number dev-1"], origin="origin", workdir="dev")
        after = adopting.adopt(found["after dev-2"], origin="origin", workdir="dev")
        assert (first.label, after.label, after.origin, after.caption) == (
            "dev-2",
            "dev-3",
            "origin",
            "a caption",
        )
        assert project.index.find_label("dev-3") == after
        assert project.index.find_action(after.key) == after
        assert Job("dev-3").load() == 8
        assert sum(Job("dev-3").dataset().lines) == 1
        assert Job("after") == "dev-3"
        folder = Path(Job("dev-3").path)
        setup, post = (json.loads((folder / name).read_text()) for name in ("setup.json", "post.json"))
        assert (setup["jobid"], setup["method"], setup["package"]) == ("dev-3", "after", "mine")
        assert (setup["jobs"], setup["parent"], setup["caption"]) == ({"source": "dev-2"}, "", "a caption")
        assert post["files"] == ["result.pickle"]
    assert bob.build("number", n=1) == "number reused: 1"


def test_a_run_that_has_a_label_keeps_it(clones: tuple[Clone, Clone]) -> None:
    with Project(config.load(clones[1].root)) as project:
        adopting, found = adoption(project), claims(project)
        first = adopting.adopt(found["number dev-1"], origin="origin", workdir="dev", action="never")
        assert project.index.find_action(first.key) is None
        assert adopting.adopt(found["number dev-1"], origin="origin", workdir="dev") == first
        assert project.index.find_action(first.key) == first
        assert len(project.index.rows()) == 1


def test_a_key_that_leads_to_a_job_goes_on_to_do_so(clones: tuple[Clone, Clone]) -> None:
    bob = clones[1]
    bob.build("number", n=1, force_build=True)
    with Project(config.load(bob.root)) as project:
        own = Job("dev-1").row
        row = adoption(project).adopt(claims(project)["number dev-1"], origin="origin", workdir="dev")
        assert project.index.find_action(own.key) == own
        # it came out as the job that was here
        assert row.earlier == "dev-1"
        adoption(project).adopt(
            claims(project)["number dev-1"], origin="origin", workdir="dev", action="always"
        )
        assert project.index.find_action(own.key) == row


def test_a_job_does_not_take_a_label_of_here_for_its_parent_elsewhere(clones: tuple[Clone, Clone]) -> None:
    bob = clones[1]
    bob.build("number", n=5)
    bob.build("number", n=6)
    with Project(config.load(bob.root)) as project:
        found = claims(project)
        subjob = next(claim for name, claim in found.items() if claim.run.parent == "dev-2")
        row = adoption(project).adopt(subjob, origin="origin", workdir="dev")
        assert Job.of(row).parent is None
