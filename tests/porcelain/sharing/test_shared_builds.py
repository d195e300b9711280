"""Builds of two clones over one remote: what one has built, the other takes; and never what it would not have built."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from jobs.builder import WouldRun
from jobs.execution.inside.reads import _TICK_NS
from jobs.job import Job
from jobs.wish import Policy
from porcelain import config
from porcelain.project import Project
from tests.porcelain.sharing.clones import Building, Clone
from tests.waiting import await_that

FILES = {
    "input/data.txt": "one two",
    "input/undeclared.txt": "here",
    "mine/helper.py": "from mine.deep import LOW\n\ndef double(x):\n    return 2 * x + LOW\n",
    "mine/deep.py": "LOW = 0\n",
    "mine/note.txt": "a note",
    "mine/a_words.py": """
        from acc import InputFile
        from mine import helper

        options = dict(filename=InputFile(), factor=1)
        jobs = ("previous",)

        def synthesis(options, jobs, job):
            words = options.filename.path.read_text().split()
            print("words:", words)
            dw = job.datasetwriter(columns={"word": "unicode"})
            write = dw.get_split_write()
            for word in words:
                write(word)
            before = jobs.previous.load() if jobs.previous else 0
            return helper.double(len(words)) * options.factor + before
        """,
    "mine/a_letters.py": """
        datasets = ("source",)

        def analysis(sliceno, datasets):
            return [len(word) for word in datasets.source.iterate(sliceno, "word")]

        def synthesis(analysis_res):
            return sorted(sum(analysis_res, []))
        """,
    "mine/a_number.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_parent.py": """
        from acc import build

        options = dict(n=0)

        def synthesis(options):
            return build("number", n=options.n).load() + build("words", filename="data.txt").load()
        """,
    "mine/a_peeks.py": """
        options = dict(path="")

        def synthesis(options):
            with open(options.path) as file:
                return file.read()
        """,
    "mine/a_reads.py": """
        def synthesis(job):
            with open(job.input_directory + "/undeclared.txt") as file:
                return file.read()
        """,
    "mine/a_label.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return str(jobs.source)\n",
    "mine/a_output.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.output()\n",
    "mine/a_times.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.params.method\n",
    "mine/a_lookup.py": "from acc import Job\n\ndef synthesis():\n    return Job('number').load()\n",
    "mine/a_labelled.py": "from acc import Job\n\ndef synthesis():\n    return Job('dev-1').load()\n",
}


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield f"file://{tmp_path}/remote"
        return
    name = f"memory://{tmp_path.name}"
    yield name
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return f"file://{tmp_path}/remote"


def clones(tmp_path: Path, url: str) -> tuple[Clone, Clone]:
    return Clone(tmp_path / "ann" / "work", FILES, url), Clone(tmp_path / "bob", FILES, url)


def everything(urd: Building) -> list[object]:
    """Build jobs of every kind, and return what came of them."""
    first = urd.build("words", filename="data.txt")
    again = urd.build("words", filename="data.txt", previous=first, name="again")
    letters = urd.build("letters", source=again)
    parent = urd.build("parent", n=3)
    output = urd.build("output", source=first)
    built = (first, again, letters, parent, output)
    return [[job.load() for job in built], sorted(again.dataset().iterate(None, "word")), first.output()]


def test_what_one_has_built_another_takes_wherever_it_lies_and_whoever_asks(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = clones(tmp_path, url)
    monkeypatch.setenv("USER", "ann")
    monkeypatch.setenv("LOGNAME", "ann")
    with ann.building() as urd:
        built = everything(urd)
        assert urd.got() == ["words built", "again built", "letters built", "parent built", "output built"]
    assert (ann.published, ann.left, ann.warnings) == (6, 0, [])
    monkeypatch.setenv("USER", "bob")
    monkeypatch.setenv("LOGNAME", "bob")
    with bob.building() as urd:
        assert everything(urd) == built
        assert urd.got() == [
            f"{name} reused from origin" for name in ("words", "again", "letters", "parent", "output")
        ]
    assert (bob.published, bob.requests, bob.warnings) == (0, 0, [])
    # all of it came, the subjob too, and now it is here
    assert all(row.endswith(" origin") for row in bob.rows())
    assert len(bob.rows()) == 6
    with bob.building() as urd:
        assert everything(urd) == built
        assert {how.split(" ", 1)[1] for how in urd.got()} == {"reused"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("input/data.txt", "one two three"),
        ("mine/deep.py", "LOW = 1\n"),
        ("mine/a_words.py", FILES["mine/a_words.py"].replace("* options.factor", "* options.factor + 1")),
    ],
    ids=["input", "helper", "method"],
)
def test_what_differs_in_what_counts_is_built(tmp_path: Path, folder: str, path: str, text: str) -> None:
    ann, bob = clones(tmp_path, folder)
    before = ann.build("words", filename="data.txt")
    bob.folder.write(path, text)
    after = bob.build("words", filename="data.txt")
    assert after.startswith("words built")
    assert after.rpartition(" ")[2] != before.rpartition(" ")[2]
    # the parent has the same key, and learns another outcome of its subjob
    assert ann.build("parent", n=1) == "parent built: 5"
    assert bob.build("parent", n=1).startswith("parent built")


def test_another_number_of_slices_is_another_job(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number")
    toml = bob.root / "acc.toml"
    toml.write_text(toml.read_text().replace("slices = 2", "slices = 3"))
    assert bob.build("number") == "number built: 0"


def test_a_subjob_that_comes_out_the_same_lets_its_parent_be_taken(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("parent", n=1)
    bob.folder.write("mine/a_number.py", FILES["mine/a_number.py"] + "# a comment\n")
    assert bob.build("parent", n=1) == "parent reused from origin: 5"
    # of its subjobs, one was taken, and one has another source
    assert sorted(row.split(" ", 1)[1] for row in bob.rows()) == ["number", "parent origin", "words origin"]


def test_an_edit_that_changes_nothing_is_taken_as_the_job_that_was_here(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    for clone in (ann, bob):
        with clone.building() as urd:
            urd.build("letters", source=urd.build("words", filename="data.txt"))
    edited = FILES["mine/a_words.py"] + "# a comment\n"
    ann.folder.write("mine/a_words.py", edited)
    with ann.building() as urd:
        urd.build("letters", source=urd.build("words", filename="data.txt"))
        assert urd.got() == ["words cutoff", "letters reused"]
    bob.folder.write("mine/a_words.py", edited)
    with bob.building() as urd:
        first = urd.build("words", filename="data.txt")
        urd.build("letters", source=first)
        assert urd.got() == ["words reused from origin", "letters reused"]
        assert first == "dev-1"
    with bob.building() as urd:
        assert urd.build("words", filename="data.txt") == "dev-1"
        assert urd.got() == ["words reused"]


def test_a_file_of_the_project_that_was_read_is_looked_at_here(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    eve = Clone(tmp_path / "eve", {**FILES, "input/undeclared.txt": "elsewhere"}, folder)
    assert ann.build("reads") == "reads built: here"
    assert eve.build("reads") == "reads built: elsewhere"
    # the newest run of a key whose facts differ is the one that others find
    assert bob.build("reads") == "reads built: here"
    assert Clone(tmp_path / "dan", FILES, folder).build("reads") == "reads reused from origin: here"


@pytest.mark.parametrize(
    ("method", "why"),
    [
        ("label", "looks at the label"),
        ("times", "looks at the times"),
        ("labelled", "looks up 'dev-1'"),
        ("peeks", "lies outside the project"),
    ],
)
def test_what_only_its_machine_can_check_is_not_published(
    tmp_path: Path, folder: str, method: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = clones(tmp_path, folder)
    caplog.set_level("DEBUG", "jobs.remote.publication")

    text = tmp_path / "text.txt"
    text.write_text("a text")
    # what is as new as the job itself counts as a temporary file of its own
    await_that(lambda: time.time_ns() > text.stat().st_ctime_ns + 2 * _TICK_NS)

    def build(clone: Clone) -> str:
        with clone.building() as urd:
            source = urd.build("number")
            given = {"path": str(text)} if method == "peeks" else {}
            urd.build(method, **({"source": source} if method in ("label", "times") else given))
            return urd.got()[-1]

    assert build(ann) == f"{method} built"
    assert why in caplog.text
    assert ann.published == 1
    assert build(bob) == f"{method} built"


def test_a_job_looked_up_by_its_method_is_looked_up_here(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=1)
    assert ann.build("lookup") == "lookup built: 1"
    bob.build("number", n=2)
    assert bob.build("lookup") == "lookup built: 2"
    carl = Clone(tmp_path / "carl", FILES, folder)
    carl.build("number", n=2)
    assert carl.build("lookup") == "lookup reused from origin: 2"


def test_a_declared_equivalent_is_taken(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=5)
    with Project(config.load(ann.root)):
        source = Job("number").run.source
    verifier = "none yet"
    for _ in range(2):
        declared = f"equivalent_hashes = {{'{verifier}': ('{source}',)}}\n"
        bob.folder.write("mine/a_number.py", declared + FILES["mine/a_number.py"])
        with Project(config.load(bob.root)) as project:
            verifier = project.catalog.get("number").verifier
    assert bob.build("number", n=5) == "number reused from origin: 5"


def test_a_forced_job_runs_whatever_remotes_have(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=5)
    assert bob.build("number", n=5, force_build=True) == "number built: 5"


def test_who_only_looks_is_told_where_a_job_is_and_takes_nothing(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=5)
    with (
        pytest.raises(WouldRun, match="'number' would be taken from remote 'origin'"),
        bob.building(Policy(only_look=True)) as urd,
    ):
        urd.build("number", n=5)
    assert bob.rows() == []


def test_submitted_jobs_are_taken_too(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    for clone, how in ((ann, "built"), (bob, "reused from origin")):
        with clone.building() as urd:
            jobs = [urd.submit("number", n=n) for n in range(6)]
            assert [job.result().load() for job in jobs] == [*range(6)]
            assert urd.got() == [f"number {how}"] * 6


def test_a_build_that_takes_all_jobs_asks_a_few_times(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    for clone in (ann, bob):
        with clone.building() as urd:
            for n in range(40):
                urd.build("number", n=n)
    with Project(config.load(bob.root)) as project:
        assert len(project.index.rows()) == 40
    bob2 = Clone(tmp_path / "bob2", FILES, folder)
    with bob2.building() as urd:
        for n in range(40):
            urd.build("number", n=n)
        (place,) = urd.project.sharing._shared._all()
        assert place.remote.bucket.traffic.requests <= 8


# -- remotes that come and go ----------------------------------------------------------------------------------


def test_a_remote_that_is_none_is_one_warning(tmp_path: Path, folder: str) -> None:
    clone = Clone(tmp_path / "ann", FILES, folder, write=False)
    with clone.building() as urd:
        for n in range(3):
            urd.build("number", n=n)
        assert urd.got() == ["number built"] * 3
    assert clone.warnings == [
        "remote 'origin' is left out of this build: there is no remote of acc at 'origin'"
    ]


def test_a_remote_that_goes_while_it_is_used_ends_no_build(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=1)
    ann.build("number", n=2)
    with bob.building() as urd:
        urd.build("number", n=1)
        shutil.rmtree(tmp_path / "remote")
        (tmp_path / "remote").write_text("no folder")
        urd.project.sharing._shared._all()[0].reader._kept.clear()
        urd.build("number", n=2)
        urd.build("number", n=3)
        assert urd.got() == ["number reused from origin", "number built", "number built"]
    assert bob.left == 2
    assert len(bob.warnings) == 2
    assert all("origin" in warning for warning in bob.warnings)


def test_a_remote_that_was_wiped_and_made_again_gets_what_is_asked_for(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=1)
    bob.build("number", n=1)
    shutil.rmtree(tmp_path / "remote")
    ann.build("number", n=2)
    # bob's first job was taken from what is gone
    assert bob.build("number", n=2) == "number reused from origin: 2"
    assert ann.build("number", n=1) == "number reused: 1"
    assert ann.published == 1
    carl = Clone(tmp_path / "carl", FILES, folder)
    assert carl.build("number", n=1) == "number reused from origin: 1"


def test_a_job_whose_bytes_are_gone_from_the_remote_is_built_again(tmp_path: Path, folder: str) -> None:
    ann, bob = clones(tmp_path, folder)
    ann.build("number", n=1)
    with bob.building() as urd:
        urd.build("number", n=1)  # and its result is not read
    shutil.rmtree(tmp_path / "remote")
    eve = Clone(tmp_path / "eve", FILES, folder)
    eve.build("number", n=7)
    bob.build("number", n=7)
    assert bob.build("number", n=1) == "number cutoff: 1"
    assert bob.build("number", n=1) == "number reused: 1"


def test_what_was_built_without_the_remote_is_published_when_it_is_asked_for_again(
    tmp_path: Path, folder: str
) -> None:
    ann, bob = clones(tmp_path, folder)
    toml = (ann.root / "acc.toml").read_text()
    (ann.root / "acc.toml").write_text(toml.partition("\n[remotes.")[0])
    ann.build("number", n=1)
    (ann.root / "acc.toml").write_text(toml)
    assert ann.build("number", n=1) == "number reused: 1"
    assert ann.published == 1
    assert bob.build("number", n=1) == "number reused from origin: 1"
    # once it is known to be there, nobody asks any more
    ann.build("number", n=1)
    assert ann.requests == 0
