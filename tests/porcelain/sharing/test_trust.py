"""Jobs from a remote that is not trusted: they may be looked at, and nothing that they say runs or counts."""

import subprocess
import sys

import pytest

from tests.porcelain.sharing.projects import name_remote, send_all, take_all
from tests.projects import Folder

METHODS = {
    "mine/a_make.py": """
        def prepare(job):
            dw = job.datasetwriter(columns={"n": "int64", "p": "pickle"})
            return dw

        def analysis(sliceno, prepare_res):
            prepare_res.write(sliceno, {"slice": sliceno})

        def synthesis(job):
            job.json_save({"a": 1}, "a.json")
            return "made"
        """,
    "mine/a_use.py": """
        jobs = ("made",)
        datasets = ("source",)
        options = {"thefile": JobWithFile}
        from acc import JobWithFile

        def synthesis(jobs):
            return 1
        """.replace(
        'options = {"thefile": JobWithFile}\n        from acc import JobWithFile',
        'from acc import JobWithFile\n        options = {"thefile": JobWithFile}',
    ),
    "mine/a_look_up.py": """
        from acc import Job

        def synthesis():
            return Job("make").json_load("a.json")
        """,
    "build.py": """
        def main(urd):
            urd.build("make")
        """,
    "build_use.py": """
        from acc import Job

        def main(urd):
            made = Job("make")
            what = WHAT
            urd.build("use", **what)
        """,
    "build_look_up.py": """
        def main(urd):
            urd.build("look_up")
        """,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    root = tmp_path_factory.mktemp("ann")
    folder = Folder(root / "project", METHODS)
    name_remote(folder, (root / "remote").as_uri())
    folder.acc("build")
    send_all(folder.root)
    return (root / "remote").as_uri()


@pytest.fixture(scope="module")
def bob(url, tmp_path_factory):
    """A project that has what was pushed to a remote that it does not trust."""
    folder = Folder(tmp_path_factory.mktemp("bob"), METHODS)
    name_remote(folder, url, trusted=False)
    take_all(folder.root)
    return folder


def run(folder: Folder, expression: str) -> str:
    program = f"from acc import Job, Dataset; print({expression})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder.root, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "expression",
    [
        "Job('make').load()",
        "Job('make').withfile('result.pickle').load()",
        "list(Job('make').dataset().iterate(None, 'p'))",
        "list(Dataset('make').arrays(0))",
        "list(Job('make').dataset().iterate('roundrobin'))",
    ],
)
def test_pickles_are_not_loaded(bob, expression):
    assert (
        "NotTrusted: job 'dev-1' cannot be loaded: it came from remote 'origin', which is not trusted"
        in run(bob, expression)
    )


def test_all_that_is_no_code_may_be_looked_at(bob):
    looks = (
        "Job('make').json_load('a.json')['a'], list(Job('make').dataset().iterate(None, 'n')),"
        "Job('make').open('a.json').read() != ''"
    )
    assert run(bob, looks) == "1 [0, 1] True\n"
    for command in (
        "log",
        "job make",
        "job -s make",
        "ds make",
        "cat-job make",
        "cat-file -p make:a.json",
        "du",
    ):
        bob.acc(*command.split())


@pytest.mark.parametrize(
    "what",
    [
        "dict(made=made)",
        "dict(made='make')",
        "dict(made='@' + made.row.job)",
        "dict(source=made.dataset())",
        "dict(source='make')",
        "dict(thefile=made.withfile('a.json'))",
    ],
)
def test_none_is_an_input_of_a_build(bob, what):
    bob.write("build_use.py", METHODS["build_use.py"].replace("WHAT", what))
    said = bob.acc("build", "use", code=1)
    assert (
        "job 'dev-1' cannot be an input of 'use': it came from remote 'origin', which is not trusted" in said
    )
    assert "trusted = true under [remotes.origin]" in said


def test_none_is_looked_up_by_a_job(bob):
    said = bob.acc("build", "look_up", code=1)
    assert "job 'dev-1' cannot be an input of 'look_up'" in said


@pytest.mark.parametrize("command", ["verify", "rerun"])
def test_no_source_runs_again(bob, command):
    assert "cannot be run again: it came from remote 'origin'" in bob.acc(command, "make", code=1)


def test_none_is_pushed_to_where_others_may_trust_it(url, tmp_path):
    folder = Folder(tmp_path / "carl", METHODS)
    name_remote(folder, url, trusted=False)
    folder.acc("fetch", "origin")
    folder.acc("remote", "add", "team", str(tmp_path / "team"))
    said = folder.acc("push", "team", "make@origin", code=1)
    assert "job 'dev-1@origin' cannot be pushed: it came from remote 'origin', which is not trusted" in said
    assert not (tmp_path / "team").exists()


def test_none_is_reused(bob, url, tmp_path):
    folder = Folder(tmp_path, METHODS)
    name_remote(folder, url, trusted=False)
    take_all(folder.root)
    assert folder.ran("build") == ["make"]
    # what ran here has come to the same: then it does not matter who was first
    assert run(folder, "Job('dev-1').load(), Job('make').load()") == "made made\n"


def test_where_runs_came_from_outlives_refs_and_caches(bob, url, tmp_path):
    folder = Folder(tmp_path, METHODS)
    name_remote(folder, url, trusted=False)
    take_all(folder.root)
    made = folder.acc("rev-parse", "--run", "make").strip()
    for path in (folder.root / ".acc").glob("refs.sqlite*"):
        path.unlink()
    (folder.root / ".acc" / "cache").rename(tmp_path / "cache")
    assert "from remotes that are not trusted: 1" in folder.acc("update-ref", "--rebuild")
    assert folder.acc("show-ref", code=1) == ""
    assert "NotTrusted" in run(folder, f"Job('@{made}').load()")


def test_who_is_trusted_later_is_trusted(url, tmp_path):
    folder = Folder(tmp_path, METHODS)
    name_remote(folder, url, trusted=False)
    take_all(folder.root)
    name_remote(folder, url, trusted=True)
    assert run(folder, "Job('make').load()") == "made\n"
    toml = folder.root / "acc.toml"
    toml.write_text(toml.read_text().partition("[remotes")[0])
    assert "which is no remote of this project" in run(folder, "Job('make').load()")
