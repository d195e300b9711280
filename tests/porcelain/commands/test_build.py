"""`acc build`, `acc method`, `acc script` in a small project whose jobs run."""

import json
from pathlib import Path

import pytest

from porcelain.cli import main
from porcelain.script import ScriptError, find_scripts, get_script

FILES = {
    "acc.toml": '[project]\nslices = 2\nmethods = ["mine"]\n',
    "mine/__init__.py": "",
    "mine/a_make.py": '''"""Make numbers."""
options = dict(
    count=3,  # how many
)

def prepare(job):
    writer = job.datasetwriter()
    writer.add("n", "int64")
    return writer

def analysis(sliceno, slices, options, prepare_res):
    for number in range(sliceno, options.count, slices):
        prepare_res.write(number)

def synthesis(job, options):
    with job.open("note.txt", "w") as stream:
        stream.write(f"{options.count} numbers")
''',
    "mine/a_use.py": '''
from acc import JobWithFile, RequiredOption

description = """Use numbers.
And more about it."""
options = dict(note=JobWithFile(), times=1, words=[str], table={}, day=RequiredOption(str, none_ok=True))
datasets = ("source", ["others"])
jobs = ("previous",)

def synthesis(options, datasets, jobs):
    numbers = list(datasets.source.iterate(None, "n"))
    note = options.note.open().read() if options.note else None
    shown = dict(options, note=note)
    return dict(total=sum(numbers) * options.times, previous=bool(jobs.previous), options=shown)
''',
    "mine/a_broken.py": "import nothing_of_that_name\n\ndef synthesis():\n    pass\n",
    "mine/a_fail.py": "def synthesis():\n    raise ValueError('on purpose')\n",
    "mine/build.py": '''"""Make, then use."""

def main(urd):
    made = urd.build("make", count=5)
    urd.build("use", source=made, note=made.withfile("note.txt"), day=None)
''',
    "mine/build_raise.py": "def main(urd):\n    raise RuntimeError('of the script')\n",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A project whose build.py was run once."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["build"]) == 0
    return folder


@pytest.fixture
def acc_here(root, acc, monkeypatch):
    monkeypatch.chdir(root)
    return acc


def load(acc, spec: str):
    """Return the result of a job, as a plain Python program in the project reads it."""
    from jobs.job import Job
    from porcelain.project import Project

    with Project.here():
        return Job(spec).load()


def test_a_script_that_is_named_by_its_path_is_the_one_of_its_package(tmp_path):
    (tmp_path / "mine").mkdir()
    for path in (tmp_path / "mine/build.py", tmp_path / "build.py"):
        path.touch()
    scripts = find_scripts(tmp_path, {"mine": tmp_path / "mine"})
    assert get_script(scripts, "mine/build.py", tmp_path).package == "mine"
    with pytest.raises(ScriptError) as caught:
        get_script(scripts, "", tmp_path)
    assert caught.value.hint == "say which: acc build mine/build.py or acc build build.py"


def test_a_second_build_reuses_every_job(acc_here):
    code, out, _ = acc_here("build")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[1:3] for line in lines[:2]] == [["make", "reused"], ["use", "reused"]]
    assert lines[2].startswith("2 jobs, all reused, ")


def test_a_dry_run_stops_at_the_first_job_that_would_run(acc_here):
    assert "all reused" in acc_here("build", "-n")[1]
    code, out, _ = acc_here("build", "-n", "-m", "make", "count=77")
    assert (code, out) == (0, "'make' would run: option 'count': 5 -> 77\n")
    code, out, _ = acc_here("build", "--force", "-n")
    assert out == "'make' would run: forced\n"


def test_force_runs_all_jobs_or_those_of_one_method(acc_here):
    assert acc_here("build", "--force")[1].splitlines()[-1].startswith("2 jobs built, 0 reused")
    for words in (["--force", "use"], ["build", "--force", "use"]):
        assert acc_here("build", *words)[1].splitlines()[-1].startswith("1 job built, 1 reused")
    code, _, err = acc_here("build", "build", "--force", "uze")
    assert (code, err.splitlines()[0]) == (1, "acc: no method 'uze'")


def test_one_job_is_built_from_the_command_line(acc_here):
    arguments = ["times=2", "words=a,b", 'table={"k": [1, null]}', "day=2026-03-02"]
    inputs = ["source=make/default", "others=make,dev-1", "note=make:note.txt", "previous=use"]
    code, out, _ = acc_here("build", "-m", "use", *arguments, *inputs)
    assert code == 0
    assert "built" in out
    shown = {
        "note": "5 numbers",
        "times": 2,
        "words": ["a", "b"],
        "table": {"k": [1, None]},
        "day": "2026-03-02",
    }
    assert load(acc_here, "use") == {"total": 20, "previous": True, "options": shown}
    assert "reused" in acc_here("build", "-m", "use", *arguments, *inputs)[1]


def test_an_empty_value_unsets_an_input(acc_here):
    assert acc_here("build", "-m", "use", "source=make", "note=", "previous=", "day=x", "table=[1")[0] == 1
    assert acc_here("build", "-m", "use", "source=make", "note=", "previous=", "day=x")[0] == 0
    assert load(acc_here, "use")["options"]["note"] is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-m", "uze"], "no method 'uze'"),
        (["-m", "use", "sorce=make"], "method 'use' has no option, dataset or job 'sorce'"),
        (
            ["-m", "use", "source=make", "day=1", "times=often"],
            "option 'times' of method 'use' cannot be 'often'",
        ),
        (["-m", "use", "source=dev-99", "day=1"], "no job 'dev-99'"),
        (["-m", "use", "source=make", "day=1", "note=make:no.txt"], "job 'dev-"),
        (["-m", "use", "source=make", "day=1", "note=make"], "'make' is no file of a job"),
        (["-m", "broken"], "cannot load method 'broken'"),
        (["walk"], "no build script 'build_walk.py'"),
        (["-w", "prod", "-m", "make", "count=9"], "no workdir 'prod'"),
        (["-w", "prod"], "no workdir 'prod'"),
        (["-c", "uze=2"], "no method 'uze'"),
    ],
)
def test_a_wrong_build_is_one_clear_line_and_runs_nothing(acc_here, words, error):
    before = acc_here("log", "--json")[1]
    code, out, err = acc_here("build", *words)
    assert (code, out) == (1, "")
    assert err.startswith(f"acc: {error}")
    assert acc_here("log", "--json")[1] == before


@pytest.mark.parametrize(
    "words",
    [
        ["count=3"],
        ["build", "walk"],
        ["-m", "make", "count"],
        ["-m", "make", "count=1", "count=2"],
        ["-c", "x"],
        ["-c", "m=0"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(acc_here, words):
    code, out, err = acc_here("build", *words)
    assert (code, out) == (2, "")
    assert err.startswith("acc build: ")


def test_a_failed_job_shows_the_users_part_of_the_traceback(acc_here):
    code, _, err = acc_here("build", "-m", "fail")
    assert code == 1
    assert "a_fail.py" in err
    assert "raise ValueError('on purpose')" in err
    assert err.splitlines()[-1].endswith("failed in synthesis: ValueError: on purpose")
    assert "porcelain" not in err
    assert "failed in synthesis: ValueError: on purpose" in acc_here("job", "dev-" + _newest(acc_here))[1]


def _newest(acc) -> str:
    return json.loads(acc("log", "-n", "1", "--json")[1])[0]["label"].removeprefix("dev-")


def test_a_script_that_raises_shows_where(acc_here):
    code, _, err = acc_here("build", "raise")
    assert code == 1
    assert "build_raise.py" in err
    assert err.splitlines()[-1] == "acc: build script 'raise' raised RuntimeError: of the script"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def main(urd:\n", "acc: cannot load build script 'bad': SyntaxError: '(' was never closed"),
        ("import nothing_here\n", "acc: cannot load build script 'bad': ModuleNotFoundError: No module"),
        ("def main(foo):\n    pass\n", "acc: main of build script '"),
        ("def main(urd):\n    urd.build('make', 3)\n", "acc: an argument of method 'make' has no name: 3"),
        ("def main(urd):\n    raise SystemExit('enough')\n", "enough"),
    ],
)
def test_a_script_that_is_wrong_is_no_bug_of_ours(acc_here, tmp_path, text, error):
    (tmp_path / "bad.py").write_text(text)
    code, out, err = acc_here("build", str(tmp_path / "bad.py"))
    assert (code, out) == (1, "")
    assert any(line.startswith(error) for line in err.splitlines())


def test_a_script_may_build_nothing(acc_here, tmp_path):
    (tmp_path / "idle.py").write_text("def main(more=1):\n    pass\n")
    assert acc_here("build", str(tmp_path / "idle.py"))[1].startswith("no jobs, ")


def test_an_interrupted_build_says_so(acc_here, tmp_path):
    (tmp_path / "stop.py").write_text("def main(urd):\n    raise KeyboardInterrupt\n")
    assert acc_here("build", str(tmp_path / "stop.py")) == (130, "", "acc: interrupted\n")


def test_a_build_is_written_down(acc_here):
    acc_here("build")
    builds = [line.split("\t")[1] for line in acc_here("show-ref", "builds/")[1].splitlines()]
    number = max(int(name.removeprefix("builds/")) for name in builds)
    view = json.loads(acc_here("show", f"build-{number}", "--json")[1])
    assert (view["script"], view["status"]) == ("build", "done")
    assert [entry["name"] for entry in view["jobs"]] == ["make", "use"]


def test_methods_are_listed_and_a_broken_one_hurts_nobody(acc_here):
    code, out, _ = acc_here("method")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert lines["make"].split(None, 2)[1:] == ["mine", "Make numbers."]
    assert lines["use"].split(None, 2)[1:] == ["mine", "Use numbers."]
    assert "cannot load method 'broken'" in lines["broken"]
    assert "porcelain.methods" in lines["csvimport"]
    assert {"name": "make", "package": "mine", "description": "Make numbers.", "error": None} in json.loads(
        acc_here("method", "--json")[1]
    )


def test_a_method_is_described_with_what_its_options_take(acc_here):
    code, out, _ = acc_here("method", "use")
    assert code == 0
    assert "And more about it." in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith("  ")}
    assert rows["note"] == ["note", "file", "of", "a", "job", "None"]
    assert rows["words"] == ["words", "list", "of", "str", "[]"]
    assert rows["day"] == ["day", "str", "required"]
    assert rows["others"] == ["others", "a", "list"]
    assert "how many" in acc_here("method", "make")[1]
    described = json.loads(acc_here("method", "make", "--json")[1])
    assert described["options"] == [
        {"name": "count", "takes": "int", "required": False, "default": 3, "comment": "how many"}
    ]
    assert described["stages"]["prepare"] == ["job"]


def test_scripts_are_listed(acc_here):
    lines = acc_here("script")[1].splitlines()
    assert lines[1].split(None, 2) == ["build", "mine/build.py", "Make, then use."]
    assert lines[2].split() == ["raise", "mine/build_raise.py"]
    assert json.loads(acc_here("script", "--json")[1])[0]["name"] == "build"


def test_the_first_rows_of_a_dataset(acc_here):
    acc_here("build", "-m", "make", "count=5")
    code, out, _ = acc_here("ds", "dev-1", "-r", "3")
    assert code == 0
    assert out.splitlines()[-4:] == ["n", "0", "1", "2"]
    assert json.loads(acc_here("ds", "dev-1", "-r", "2", "--json")[1])["rows"] == [[0], [1]]


def test_a_strict_build_names_what_is_not_declared(acc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acc.toml").write_text('[project]\nmethods = ["mine"]\n')
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/__init__.py").touch()
    (tmp_path / "mine/a_peek.py").write_text(
        "def synthesis(job):\n    job.open_input('limits.ini').close()\n"
    )
    (tmp_path / "input").mkdir()
    (tmp_path / "input/limits.ini").touch()
    reads = "reads 'input/limits.ini' without declaring it"
    code, _, err = acc("build", "--strict", "-m", "peek")
    assert (code, f"it {reads}" in err, "InputFile" in err) == (1, True, True)
    code, _, err = acc("build", "-m", "peek")
    assert (code, f"'peek' (dev-2) {reads}" in err) == (0, True)
    assert "read without declaring it\n  input/limits.ini" in acc("job", "peek")[1]
    code, _, err = acc("build", "--strict", "-m", "peek")
    assert (code, f"job 'dev-2' (peek) {reads}" in err) == (1, True)
