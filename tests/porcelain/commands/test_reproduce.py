"""`acc verify` and `acc rerun`: what they print, and their exit codes."""

import json
import re

import pytest

from tests.projects import Folder

METHODS = {
    "mine/a_number.py": "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_clock.py": "import time\n\ndef synthesis():\n    return [time.time_ns()]\n",
    "mine/a_fails.py": "def synthesis():\n    raise ValueError('no luck')\n",
    "mine/build.py": "def main(urd):\n    urd.build('number')\n    urd.build('clock')\n    urd.build('number', n=2)\n",
}


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path, METHODS)
    folder.acc("build")
    return folder


def test_an_equal_job_has_one_line(folder):
    assert folder.acc("verify", "dev-1") == "dev-1   number                equal\n"


def test_what_differs_stands_below_its_job(folder):
    lines = folder.acc("verify", "--all", code=1).splitlines()
    assert [line.split()[:3] for line in lines if not line.startswith(" ")] == [
        ["dev-1", "number", "equal"],
        ["dev-2", "clock", "different"],
        ["dev-3", "number", "equal"],
        ["3", "jobs:", "2"],
    ]
    assert re.fullmatch(r"    file 'result.pickle': another value at \[0\]: was \d+, now \d+", lines[2])
    assert lines[-1] == "3 jobs: 2 equal, 1 different"


def test_a_build_stands_for_its_jobs_and_each_is_run_once(folder):
    assert folder.acc("verify", "build-1", "dev-1", "dev-2", code=1).splitlines()[-1].startswith("3 jobs:")


def test_json_has_places_and_values(folder):
    (found,) = json.loads(folder.acc("verify", "clock", "--json", code=1))
    assert (found["job"], found["method"], found["result"]) == ("dev-2", "clock", "different")
    (difference,) = found["differences"]
    assert (difference["kind"], difference["name"], difference["same_value"]) == (
        "file",
        "result.pickle",
        False,
    )


def test_a_rerun_is_a_job_of_its_own(folder):
    (folder.root / "mine/a_number.py").unlink()
    assert folder.acc("rerun", "dev-3").splitlines()[-1] == "'dev-4' is equal to 'dev-3'"
    assert json.loads(folder.acc("job", "dev-4", "--json"))["why"] == "'dev-3' was run again as it was"
    assert "'dev-5' differs from 'dev-2':" in folder.acc("rerun", "clock")


def test_a_command_line_that_makes_no_sense_is_refused(folder):
    assert "name jobs, or give --all" in folder.acc("verify", code=2)
    assert "name jobs, or give --all" in folder.acc("verify", "--all", "dev-1", code=2)
    assert "no workdir 'x'" in folder.acc("rerun", "dev-1", "-w", "x", code=1)
    assert "no job 'nothing'" in folder.acc("verify", "nothing", code=1)


def test_a_failed_job_is_not_run(folder):
    folder.acc("build", "-m", "fails", code=1)
    told = folder.acc("verify", "dev-4", code=1)
    assert "not run: 'dev-4' failed" in told
    assert "hint: 'acc job dev-4' says why" in told
    assert "'dev-4' failed" in folder.acc("rerun", "dev-4", code=1)


def test_an_empty_project_has_nothing_to_verify(tmp_path):
    assert Folder(tmp_path, {}).acc("verify", "--all") == "0 jobs\n"
