"""Subjobs: jobs that a running job wants, which are reused as all others, and whose outcomes it learns."""

from pathlib import Path

import pytest

from acc import Job, JobFailed
from jobs.builder import WouldRun
from jobs.wish import Policy
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

NUMBER = "options = dict(n=0)\n\ndef synthesis(options):\n    assert options.n >= 0, 'negative'\n    return options.n\n"
ROWS = """
    def synthesis(job):
        writer = job.datasetwriter(name="rows", columns={"a": "int64", "b": "ascii"})
        write = writer.get_split_write()
        write(1, "x")
        write(2, "y")
        with job.open("plot.txt", "w") as file:
            file.write("a plot")
        job.json_save([3], "three.json")
    """


class Built:
    """What one build gave: the job, and the methods of all jobs that ran, in order."""

    def __init__(self, folder: Folder, method: str, **arguments: object) -> None:
        with Project(config.load(folder.root)) as project:
            before = {row.run for row in project.index}
            self.job: Job = Urd(project.builder, BuildRecord("test")).build(method, **arguments)
            rows = sorted(project.index, key=lambda row: (row.workdir, row.number))
            self.ran = [row.method for row in rows if row.run not in before]
            self.value = self.job.load(default=None)
            self.subjobs = dict(self.job.post.subjobs)
            self.facts = [fact for fact in self.job.run.facts if fact.kind == "subjob"]


def folder_of(root: Path, parent: str, **more: str) -> Folder:
    methods = {"number": NUMBER, "rows": ROWS, "parent": parent, **more}
    return Folder(root, {f"mine/a_{name}.py": code for name, code in methods.items()})


@pytest.mark.parametrize("stage", ["prepare", "synthesis"])
def test_a_subjob_is_built_and_the_parent_is_reused_while_it_is_the_same(tmp_path: Path, stage: str) -> None:
    parent = f"""
        from acc import build, subjobs

        def {stage}(job):
            assert subjobs.jobs == []
            one = build("number", n=1, caption="the first", name="one")
            two = subjobs.build("number", options={{"n": 2}})
            assert subjobs.jobs == [one, two] == job.subjobs
            job.save([one.load(), two.load()])
        """
    folder = folder_of(tmp_path, parent)
    first = Built(folder, "parent")
    assert first.ran == ["parent", "number", "number"]
    assert first.value == [1, 2]
    assert first.subjobs == {"dev-2": True, "dev-3": True}
    assert Built(folder, "parent").ran == []
    folder.write("mine/a_number.py", NUMBER + "# the same outcome\n")
    assert Built(folder, "parent").ran == ["number", "number"]
    folder.write("mine/a_number.py", NUMBER.replace("return options.n", "return -options.n"))
    assert sorted(Built(folder, "parent").ran) == ["number", "number", "parent"]
    assert Built(folder, "parent").value == [-1, -2]


def test_a_subjob_that_was_there_is_reused_and_said_to_be(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, "from acc import build\n\ndef synthesis():\n    return build('number', n=4).load()\n"
    )
    Built(folder, "number", n=4)
    parent = Built(folder, "parent")
    assert (parent.ran, parent.subjobs) == (["parent"], {"dev-1": False})


def test_a_subjob_is_given_what_the_parent_was_given_and_other_subjobs(tmp_path: Path) -> None:
    parent = """
        from acc import JobWithFile, build

        jobs = ("source",)
        options = dict(file=JobWithFile())

        def synthesis(jobs, options):
            one = build("number", n=5)
            return build("reads", one=one, source=jobs.source, file=options.file).load()
        """
    reads = """
        from acc import JobWithFile

        jobs = ("one", "source")
        options = dict(file=JobWithFile())

        def synthesis(jobs, options):
            return [jobs.one.load(), jobs.source.json_load("three.json"), options.file.json_load()]
        """
    folder = folder_of(tmp_path, parent, reads=reads)
    rows = Built(folder, "rows").job
    with Project(config.load(folder.root)):
        file = rows.withfile("three.json")
    assert Built(folder, "parent", source=rows, file=file).value == [5, [3], [3]]
    assert Built(folder, "parent", source=rows, file=file).ran == []


def test_datasets_and_files_of_subjobs_become_the_parents_without_a_copy(tmp_path: Path) -> None:
    parent = """
        from acc import build

        def prepare(job):
            rows = build("rows")
            rows.dataset("rows").link_to_here("default", column_filter=["a"])
            rows.link_to_here("plot.txt")
            assert job.open("plot.txt").read() == "a plot"

        def analysis(sliceno, job):
            return list(job.dataset().iterate(sliceno, "a"))

        def synthesis(job, analysis_res):
            rows = build("rows")
            rows.link_to_here("three.json")
            return sorted(analysis_res.merge_auto())
        """
    folder = folder_of(tmp_path, parent)
    built = Built(folder, "parent")
    assert built.value == [1, 2]
    with Project(config.load(folder.root)):
        assert sorted(built.job.dataset().iterate(None, "a")) == [1, 2]
        assert built.job.files() == {"plot.txt", "three.json", "result.pickle"}
        assert built.job.open("plot.txt").read() == "a plot"
        rows = Job("rows")
        assert built.job.outcome.files["plot.txt"] == rows.outcome.files["plot.txt"]


@pytest.mark.parametrize(
    ("linking", "words"),
    [
        ('build("rows").link_to_here("missing.txt")', "no file 'missing.txt'"),
        ('build("rows").dataset("rows").link_to_here("default", column_filter=["c"])', "'c'"),
        ('build("rows").link_to_here("../up")', "no file '../up'"),
    ],
    ids=["no-file", "no-column", "no-such-name"],
)
def test_what_is_not_there_cannot_be_linked(tmp_path: Path, linking: str, words: str) -> None:
    folder = folder_of(tmp_path, f"from acc import build\n\ndef synthesis():\n    {linking}\n")
    with pytest.raises(JobFailed) as failed:
        Built(folder, "parent")
    assert words in str(failed.value)


def test_a_parent_may_go_on_without_a_subjob_that_failed(tmp_path: Path) -> None:
    parent = """
        from acc import JobFailed, build

        def synthesis():
            try:
                build("number", n=-1)
            except JobFailed as failed:
                assert (failed.method, failed.stage, failed.sliceno) == ("number", "synthesis", None)
                assert "negative" in failed.traceback
                return str(failed)
        """
    folder = folder_of(tmp_path, parent)
    first = Built(folder, "parent")
    assert first.value == "job 'dev-2' (number) failed in synthesis: AssertionError: negative"
    assert first.ran == ["parent", "number"]
    assert [fact.was for fact in first.facts] == [""]
    # it is tried once more, since it was no fault of the parent's, and as it fails again the parent stands
    assert Built(folder, "parent").ran == ["number"]
    folder.write("mine/a_number.py", NUMBER.replace(">= 0", "> -9"))
    again = Built(folder, "parent")
    assert sorted(again.ran) == ["number", "parent"]
    assert again.value is None


def test_a_subjob_that_fails_fails_its_parents_and_is_named_by_each(tmp_path: Path) -> None:
    parent = "from acc import build\n\ndef synthesis():\n    build('middle')\n"
    middle = "from acc import build\n\ndef prepare():\n    build('number', n=-1)\n"
    folder = folder_of(tmp_path, parent, middle=middle)
    with pytest.raises(JobFailed) as failed:
        Built(folder, "parent")
    assert str(failed.value).startswith(
        "job 'dev-1' (parent) failed in synthesis: job 'dev-2' (middle) failed"
    )
    assert "job 'dev-3' (number) failed in synthesis: AssertionError: negative" in str(failed.value)


def test_subjobs_have_subjobs(tmp_path: Path) -> None:
    nests = """
        from acc import build

        options = dict(depth=0)

        def synthesis(job, options):
            return [str(job.depth)] if options.depth == 5 else build("parent", depth=options.depth + 1).load()
        """.replace("str(job.depth)", "'deepest'")
    folder = folder_of(tmp_path, nests)
    built = Built(folder, "parent")
    assert built.value == ["deepest"]
    assert built.ran == ["parent"] * 6
    assert Built(folder, "parent").ran == []


def test_analysis_cannot_have_subjobs(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "from acc import build\n\ndef analysis(sliceno):\n    build('number')\n")
    with pytest.raises(JobFailed, match="subjobs are built in prepare and synthesis, not in analysis"):
        Built(folder, "parent")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("'numbr'", "no method 'numbr'"),
        ("'number', m=1", "'m'"),
        ("'number', n='many'", "'n'"),
        ("'number', force_build=True", "a subjob takes no 'force_build'"),
        ("'number', workdir='nowhere'", "no workdir 'nowhere'"),
        ("'number', n=job.withfile('x')", "the running job cannot be an input, nor its file 'x'"),
    ],
    ids=["method", "unknown", "wrong", "force", "workdir", "itself"],
)
def test_a_subjob_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, arguments: str, words: str
) -> None:
    parent = f"from acc import build\n\ndef synthesis(job):\n    job.save(1, 'x')\n    build({arguments})\n"
    folder = folder_of(tmp_path, parent)
    with pytest.raises(JobFailed) as failed:
        Built(folder, "parent")
    assert words in str(failed.value)
    with Project(config.load(folder.root)) as project:
        assert [row.method for row in project.index] == ["parent"]


def test_subjobs_go_where_their_parent_goes_unless_it_says_otherwise(tmp_path: Path) -> None:
    parent = """
        from acc import build

        options = dict(n=0, where="")

        def synthesis(options):
            build("number", n=options.n, workdir=options.where or None, concurrency=1)
        """
    folder = folder_of(tmp_path, parent)
    toml = (tmp_path / "acc.toml").read_text()
    folder.write("acc.toml", toml + '[workdirs]\ndev = "dev"\nother = "other"\nthird = "third"\n')
    Built(folder, "parent", n=1)
    Built(folder, "parent", n=2, workdir="other")
    third = Built(folder, "parent", n=3, where="third", workdir="other")
    # nobody who has no such workdir is to run the parent again for that
    assert "third" not in repr([fact.about for fact in third.facts])
    folder.write("mine/a_number.py", NUMBER + "# built again, since the parent had wanted it\n")
    Built(folder, "parent", n=2, workdir="other")
    with Project(config.load(folder.root)) as project:
        rows = [row.label for row in project.index if row.method == "number"]
    assert sorted(rows) == ["dev-2", "other-2", "other-4", "third-1"]


def test_in_a_build_script_build_is_that_of_urd(tmp_path: Path) -> None:
    script = """
        from acc import build

        def main(urd):
            print(build("number", n=6, caption="by name").load(), build("number", n=6) == urd.build("number", n=6))
        """
    folder = folder_of(tmp_path, NUMBER)
    folder.write("mine/build.py", script)
    said = folder.acc("build")
    assert "6 True" in said
    assert "1 job built, 2 reused" in said


CATCHES = """
    from acc import JobFailed, build

    def synthesis():
        try:
            build("number", n=-1)
        except JobFailed:
            pass
    """


def test_a_job_that_failed_and_was_caught_is_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, CATCHES)
    folder.write("mine/build.py", "def main(urd):\n    urd.build('parent')\n")
    assert "1 job built, 0 reused, 1 failed, " in folder.acc("build")
    assert "1 job, all reused, 1 failed, " in folder.acc("build")


def test_who_only_looks_does_not_know_how_a_subjob_that_failed_would_end(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, CATCHES)
    Built(folder, "parent")
    with Project(config.load(folder.root)) as project:
        urd = Urd(project.builder, BuildRecord("test"), Policy(only_look=True))
        with pytest.raises(WouldRun, match="subjob 'number' cannot be had"):
            urd.build("parent")
