"""`acc why`, `acc diff` and `why_build=True` in a small project whose jobs run."""

import json
from pathlib import Path

import pytest

from jobs.errors import OptionError
from porcelain.buildlog import BuildRecord
from porcelain.cli import main
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

FILES = {
    "input/data.csv": "a\n1\n",
    "mine/a_make.py": """
        from acc import InputFile

        options = dict(count=3, query="", file=InputFile())

        def prepare(job):
            return job.datasetwriter(columns={"n": "int64"})

        def analysis(sliceno, slices, options, prepare_res):
            for number in range(sliceno, options.count, slices):
                prepare_res.write(number)

        def synthesis(job, options):
            print("made", options.count)
            with job.open("note.txt", "w") as stream:
                stream.write(f"first\\n{options.count} numbers\\n")
            return {"count": options.count, "same": True}
        """,
    "mine/a_use.py": """
        datasets = ("source",)

        def synthesis(datasets):
            return sum(datasets.source.lines)
        """,
    "mine/a_fail.py": "options = dict(by=0)\n\ndef synthesis(options):\n    return 1 / options.by\n",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A project with jobs: dev-1 to dev-4 made and used, dev-5 failed, dev-6 did not, dev-8 is dev-2 again."""
    folder = Folder(tmp_path_factory.mktemp("project"), FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.root)
        for words, code in (
            ("make file=data.csv", 0),
            ("use source=dev-1", 0),
            ("make file=data.csv count=5", 0),
            ("use source=dev-3", 0),
            ("fail", 1),
            ("fail by=2", 0),
            ("csvimport filename=data.csv", 0),
            ("use source=dev-1 --force", 0),
        ):
            assert main(["build", "-m", *words.split()]) == code
    return folder.root


@pytest.fixture
def acc_here(root, acc, monkeypatch):
    monkeypatch.chdir(root)
    return acc


def as_json(acc, *arguments: str, code: int = 0):
    done, out, err = acc(*arguments, "--json")
    assert done == code, err
    return json.loads(out)


# -- acc why ---------------------------------------------------------------------------------------------------


def test_why_tells_what_differed_when_a_job_ran_and_that_it_would_be_reused(acc_here):
    code, out, _ = acc_here("why", "dev-4")
    lines = [line.strip() for line in out.splitlines()]
    assert code == 0
    assert lines[:3] == [
        "dev-4  use",
        "ran  dataset 'source': dev-1/default -> dev-3/default",
        "now  would be reused",
    ]
    # one level down: what it was given, and what came of that
    assert "option 'count': another value: 3 -> 5" in lines
    assert "dataset 'default': other lines per slice: 2, 1 -> 3, 2" in lines
    assert "key    'dev-4' has the same action key" in lines


def test_why_of_a_request_tells_what_differs_from_the_nearest_job(acc_here):
    code, out, _ = acc_here("why", "-m", "make", "count=5", "file=data.csv", "query=select *\nfrom t")
    lines = out.splitlines()
    assert (code, lines[0]) == (0, "make  would run")
    assert lines[2].startswith("what differs from 'dev-3' (")
    assert lines[3:] == ["  option 'query': '' -> 'select *\\nfrom t'"]


def test_of_an_input_that_is_of_another_method_no_more_is_told(acc_here):
    lines = acc_here("why", "-m", "use", "source=csvimport")[1].splitlines()
    assert lines[3:] == [
        "  dataset 'source': dev-1/default -> dev-7/default",
        "    another method: make -> csvimport",
    ]


def test_why_of_a_request_for_which_there_is_a_job_names_it(acc_here):
    lines = acc_here("why", "-m", "make", "count=5", "file=data.csv")[1].splitlines()
    assert lines[0] == "make  'dev-3' would be reused"
    assert "given  3 options, 1 input, 2 slices" in lines


def test_why_prints_the_source_as_a_diff(acc_here, root):
    path = root / "mine/a_use.py"
    before = path.read_text()
    path.write_text(before.replace("return sum", "return 1 + sum"))
    try:
        out = acc_here("why", "dev-4")[1]
    finally:
        path.write_text(before)
    assert "now  would run again: source mine/a_use.py changed" in out
    assert "  source mine/a_use.py changed, +1 -1\n    --- dev-4: mine/a_use.py\n" in out
    assert "    -    return sum(datasets.source.lines)\n    +    return 1 + sum(" in out


def test_why_names_what_a_job_was_made_from_and_would_run_again(acc_here, root):
    path = root / "input/data.csv"
    path.write_text("a\n1\n2\n")
    try:
        view = as_json(acc_here, "why", "dev-4")
        out = acc_here("why", "dev-3")[1]
    finally:
        path.write_text("a\n1\n")
    changed = "option 'file': content of 'data.csv' changed"
    assert view["now"]["reuse"] == "dev-4"
    assert view["stale"] == [{"job": "dev-3", "method": "make", "reason": changed}]
    assert f"  {changed}\n    content " in out
    assert "(6 bytes)" in out


def test_why_of_a_failed_job_says_that_it_is_never_reused(acc_here):
    code, out, _ = acc_here("why", "dev-5")
    assert (code, out.splitlines()) == (
        0,
        ["dev-5  fail", "ran  first run of 'fail'", "now  would run again: a failed job is never reused"],
    )


def test_why_of_a_job_whose_method_is_gone_says_so(acc_here, root):
    path = root / "mine/a_use.py"
    path.rename(path.with_suffix(".off"))
    try:
        code, out, _ = acc_here("why", "dev-4")
    finally:
        path.with_suffix(".off").rename(path)
    assert code == 0
    assert "now  would not run: no method 'use'" in out


def test_why_gives_the_same_as_json(acc_here):
    view = as_json(acc_here, "why", "-m", "make", "count=7", "file=data.csv")
    assert (view["reuse"], view["reason"]) == (None, "option 'count': 5 -> 7")
    (found,) = view["nearest"]["differences"]
    assert {key: found[key] for key in ("kind", "name", "place", "before", "after")} == {
        "kind": "option",
        "name": "count",
        "place": "",
        "before": 5,
        "after": 7,
    }
    then = as_json(acc_here, "why", "dev-4")["then"]
    assert then["nearest"]["job"] == "dev-2"
    assert then["nearest"]["differences"][0]["before"]["spec"] == "dev-1/default"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["nothing"], 1, "acc: no job 'nothing'", id="no job"),
        pytest.param(["-m", "nothing"], 1, "acc: no method 'nothing'", id="no method"),
        pytest.param([], 2, "acc why: give one job, or -m METHOD and its arguments", id="nothing given"),
        pytest.param(["-m", "make", "x"], 2, "acc why: 'x' is not KEY=VALUE", id="no value"),
        pytest.param(["-m", "make", "x=1"], 1, "acc: method 'make' has no", id="no such option"),
    ],
)
def test_why_refuses_what_names_nothing(acc_here, arguments, code, message):
    done, out, err = acc_here("why", *arguments)
    assert (done, out) == (code, "")
    assert err.startswith(message)


@pytest.mark.parametrize("asked", [["--why"], ["--flags", "why_build"]], ids=["option", "flag"])
def test_a_build_tells_all_about_the_first_job_that_would_run(acc_here, asked):
    code, out, _ = acc_here("build", *asked, "-m", "make", "count=8", "file=data.csv")
    assert (code, out.splitlines()[0]) == (0, "make  would run")
    assert "  option 'count': 5 -> 8" in out.splitlines()
    assert "all reused" in acc_here("build", *asked, "-m", "use", "source=dev-1")[1]


# -- why_build=True --------------------------------------------------------------------------------------------


def why_build(method: str, **arguments: object):
    with Project.here() as project:
        record = BuildRecord("test")
        answer = Urd(project.builder, record).build(method, why_build=True, **arguments)
        assert record.jobs == []
        return answer


def test_why_build_gives_the_earlier_values_by_section(acc_here):
    assert why_build("make", count=9, file="data.csv") == {"make": {"dev-3": {"options": {"count": 5}}}}
    answer = why_build("use", source="csvimport")
    assert answer == {"use": {"dev-8": {"datasets": {"source": "dev-1/default"}}}}


def test_why_build_of_a_job_that_would_be_reused_differs_in_nothing(acc_here):
    assert why_build("make", file="data.csv") == {"make": {"dev-1": {}}}


def test_why_build_checks_its_arguments(acc_here):
    with pytest.raises(OptionError):
        why_build("make", nonsense=1)


# -- acc diff --------------------------------------------------------------------------------------------------


def test_diff_shows_two_jobs_side_by_side(acc_here):
    code, out, _ = acc_here("diff", "dev-1", "dev-3")
    above, _, times = out.partition("seconds\n")
    assert code == 1
    assert above.splitlines() == [
        "dev-1 -> dev-3  make: the outcomes differ",
        "",
        "what they were given",
        "  option 'count': 3 -> 5",
        "",
        "what came of them",
        "  file 'note.txt': 16 bytes",
        "    --- dev-1:note.txt",
        "    +++ dev-3:note.txt",
        "    @@ -1,2 +1,2 @@",
        "     first",
        "    -3 numbers",
        "    +5 numbers",
        above.splitlines()[13],
        "    ['count']: 3 -> 5",
        "  dataset 'default': 3 -> 5 lines, 1 column",
        "    other lines per slice: 2, 1 -> 3, 2",
        "    column 'n': another max: 2 -> 4",
        "",
        "what they printed",
        "  synthesis",
        "    --- dev-1",
        "    +++ dev-3",
        "    @@ -1 +1 @@",
        "    -made 3",
        "    +made 5",
        "",
    ]
    assert [line.split()[0] for line in times.splitlines()] == ["prepare", "analysis", "synthesis", "total"]


def test_diff_in_short_has_one_line_for_each_thing(acc_here):
    lines = acc_here("diff", "--stat", "dev-1", "dev-3")[1].splitlines()
    assert [line for line in lines if line.startswith("    ")] == []
    assert "  option 'count': 3 -> 5" in lines
    assert "  dataset 'default': 3 -> 5 lines, 1 column" in lines


def test_diff_of_equal_outcomes_has_exit_code_0(acc_here):
    code, out, _ = acc_here("diff", "dev-2", "dev-8")
    assert (code, out.splitlines()[0].split("  ")[1]) == (0, "use: equal outcomes")


def test_diff_of_files_and_of_datasets(acc_here):
    code, out, _ = acc_here("diff", "dev-1:note.txt", "dev-3:note.txt")
    assert (code, out.splitlines()[:2]) == (
        1,
        ["dev-1:note.txt -> dev-3:note.txt  different", "  file 'note.txt': 16 bytes"],
    )
    assert out.endswith("    -3 numbers\n    +5 numbers\n")
    view = as_json(acc_here, "diff", "dev-1/", "dev-3/", code=1)
    assert view["came_out"][0]["lines"] == [3, 5]
    assert acc_here("diff", "dev-1:note.txt", "dev-1:note.txt")[0] == 0
    code, _, err = acc_here("diff", "dev-1:note.txt", "dev-1/default")
    assert (code, err.splitlines()[0]) == (1, "acc: a file and a dataset cannot be compared")


def test_diff_of_a_failed_job_tells_what_it_was_given_and_why_it_failed(acc_here):
    code, out, _ = acc_here("diff", "dev-5", "dev-6")
    assert code == 1
    assert out.splitlines()[0].startswith("dev-5 -> dev-6  fail: 'dev-5' failed: ZeroDivisionError")
    assert "  option 'by': 0 -> 2" in out.splitlines()


def test_diff_of_jobs_of_two_methods(acc_here):
    view = as_json(acc_here, "diff", "dev-1", "dev-2", code=1)
    assert view["methods"] == ["make", "use"]
    assert {"note.txt", "default"} <= {each["name"] for each in view["came_out"]}


def test_a_source_with_control_characters_commands_no_terminal(acc_here, root):
    path = root / "mine/a_use.py"
    before = path.read_text()
    path.write_text(before + "\t# \x1b[31mred\n")
    try:
        out = acc_here("why", "dev-4")[1]
    finally:
        path.write_text(before)
    assert "\x1b" not in out
    assert "# \\x1b[31mred" in out
