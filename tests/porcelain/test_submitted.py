"""`urd.submit`: jobs run while the script goes on, are inputs of each other, and say what failed first."""

import json
from concurrent.futures import Future
from pathlib import Path

import pytest

from porcelain.submitted import Submitted
from tests.projects import Folder

# `meet` ends when the others are there too, so jobs that meet did run at the same time
METHODS = {
    "mine/a_meet.py": """
        import os
        import time

        options = dict(n=0, others=[int])

        def synthesis(options):
            here = "../../../meeting"
            os.makedirs(here, exist_ok=True)
            os.close(os.open(f"{here}/{options.n}", os.O_CREAT | os.O_WRONLY))
            end = time.monotonic() + 20
            while not all(os.path.exists(f"{here}/{other}") for other in options.others):
                assert time.monotonic() < end, "alone"
                time.sleep(0.005)
            return options.n
        """,
    "mine/a_table.py": """
        options = dict(n=0)

        def synthesis(job, options):
            with job.open("text.txt", "w") as file:
                file.write(f"text {options.n}")
            writer = job.datasetwriter(columns={"n": "int64"}, name="numbers")
            write = writer.get_split_write()
            for n in range(options.n):
                write(n)
        """,
    "mine/a_use.py": """
        from acc import JobWithFile

        options = dict(text=JobWithFile(), more={})
        datasets = ("numbers",)
        jobs = (["tables"],)

        def synthesis(options, datasets, jobs):
            texts = [options.text.open().read(), *(file.open().read() for file in options.more.get("files", []))]
            return texts, sum(datasets.numbers.iterate(None, "n")), len(jobs.tables)
        """,
    "mine/a_fails.py": "options = dict(n=0)\n\ndef synthesis(options):\n    raise ValueError(f'no {options.n}')\n",
    "mine/a_sum.py": "jobs = (['of'],)\n\ndef synthesis(jobs):\n    return sum(job.load() for job in jobs.of)\n",
}


def project(tmp_path: Path, script: str) -> Folder:
    return Folder(tmp_path, {**METHODS, "mine/build.py": script})


def test_submitted_jobs_run_at_the_same_time_and_are_inputs_of_others(tmp_path: Path) -> None:
    script = """
        def main(urd):
            first = urd.submit("meet", n=1, others=[2])
            second = urd.submit("meet", n=2, others=[1])
            print("sum", urd.build("sum", of=[first, second]).load(), first.done(), second.result().load())
        """
    assert "sum 3 True 2" in project(tmp_path, script).acc("build")


def test_datasets_and_files_of_submitted_jobs_are_inputs_wherever_they_stand(tmp_path: Path) -> None:
    script = """
        def main(urd):
            tables = [urd.submit("table", n=n) for n in (3, 4)]
            used = urd.submit(
                "use",
                text=tables[0].withfile("text.txt"),
                more={"files": [tables[1].withfile("text.txt")]},
                numbers=tables[1].dataset("numbers"),
                tables=tables,
            )
            print(used.load())
        """
    folder = project(tmp_path, script)
    assert "(['text 3', 'text 4'], 6, 2)" in folder.acc("build")
    assert folder.ran("build") == []


def test_the_build_waits_for_what_was_submitted_and_writes_it_down_in_the_order_of_asking(
    tmp_path: Path,
) -> None:
    script = """
        def main(urd):
            urd.submit("meet", n=1, others=[2], name="early")
            urd.submit("meet", n=2, name="late")
        """
    folder = project(tmp_path, script)
    folder.acc("build")
    jobs = json.loads(folder.acc("show", "build-1", "--json"))["jobs"]
    assert [(entry["name"], entry["how"]) for entry in jobs] == [("early", "built"), ("late", "built")]


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "    urd.build('sum', of=[failed])\n",
        "    urd.submit('sum', of=[failed])\n",
        "    failed.load()\n",
    ],
    ids=["at the end", "as an input", "as an input of another", "when it is asked"],
)
def test_a_failure_names_the_job_that_failed_first_and_no_other_runs(tmp_path: Path, rest: str) -> None:
    folder = project(tmp_path, f"def main(urd):\n    failed = urd.submit('fails', n=7)\n{rest}")
    said = folder.acc("build", code=1)
    assert said.splitlines()[-1] == "acc: job 'dev-1' (fails) failed in synthesis: ValueError: no 7"
    assert len(folder.acc("log").splitlines()) == 2


def test_a_failure_that_the_script_has_dealt_with_stops_nothing(tmp_path: Path) -> None:
    script = """
        from acc import JobFailed

        def main(urd):
            failed = urd.submit("fails", n=7)
            try:
                failed.result()
            except JobFailed:
                print("went on with", urd.submit("meet", n=3).load())
        """
    assert "went on with 3" in project(tmp_path, script).acc("build")


def test_wrong_arguments_are_refused_before_anything_else_is_submitted(tmp_path: Path) -> None:
    script = """
        def main(urd):
            urd.submit("meet", m=1)
            raise AssertionError
        """
    folder = project(tmp_path, script)
    assert "has no option, dataset or job 'm'" in folder.acc("build", code=1)


def test_a_script_that_raises_starts_no_more_and_tells_its_own_error(tmp_path: Path) -> None:
    script = """
        def main(urd):
            first = urd.submit("meet", n=1, others=[2])
            urd.submit("sum", of=[first])
            urd.submit("meet", n=2)
            raise RuntimeError("enough")
        """
    folder = project(tmp_path, script)
    assert "acc: build script 'build' raised RuntimeError: enough" in folder.acc("build", code=1)
    assert "sum" not in folder.acc("log")


def test_what_was_submitted_is_a_value_like_any_other_job(tmp_path: Path) -> None:
    script = """
        def main(urd):
            job = urd.submit("table", n=3)
            print(repr(job) in ("<job of 'table', on its way>", "<job of 'table', done>"))
            print(job, job.method, sorted(job.files()), sum(job.dataset("numbers").lines))
        """
    said = project(tmp_path, script).acc("build")
    assert "True\n" in said
    assert "dev-1 table ['text.txt'] 3\n" in said


def test_what_python_asks_of_any_object_waits_for_no_job() -> None:
    waiting = Submitted("never", Future())
    assert not hasattr(waiting, "__array__")
    assert not hasattr(waiting.dataset(), "__deepcopy__")


def test_submitted_jobs_that_were_there_are_inputs_too(tmp_path: Path) -> None:
    script = """
        def main(urd):
            print("sum", urd.build("sum", of=[urd.submit("meet", n=4)]).load())
        """
    folder = project(tmp_path, script)
    assert "sum 4" in folder.acc("build")
    said = folder.acc("build")
    assert "sum 4" in said
    assert "2 jobs, all reused" in said


def test_all_jobs_are_built_although_one_that_was_heard_of_has_failed(tmp_path: Path) -> None:
    script = """
        from acc import JobFailed

        def main(urd):
            try:
                urd.submit("fails").result()
            except JobFailed:
                pass
            for n in range(20):
                urd.submit("meet", n=n)
        """
    assert "20 jobs built" in project(tmp_path, script).acc("build")


def test_a_session_has_the_jobs_that_were_submitted_in_it(tmp_path: Path) -> None:
    script = """
        def main(urd):
            urd.begin("list", "2020")
            urd.submit("meet", n=1)
            urd.submit("meet", n=2)
            urd.finish("list")
            print("jobs", len(urd.peek_latest("list").joblist))
        """
    assert "jobs 2" in project(tmp_path, script).acc("build")


def test_a_session_with_a_submitted_job_that_fails_is_not_finished(tmp_path: Path) -> None:
    script = """
        def main(urd):
            urd.begin("months", "2020")
            urd.submit("meet", n=1)
            urd.submit("fails")
            urd.finish("months")
            print("finished")
        """
    folder = project(tmp_path, script)
    assert "finished" not in folder.acc("build", code=1)
    assert "months" not in folder.acc("urd")


def test_an_ordered_dict_with_a_submitted_job_stays_one(tmp_path: Path) -> None:
    script = """
        from collections import OrderedDict

        def main(urd):
            first = urd.submit("meet", n=1)
            later = urd.submit("keys", of=OrderedDict([("b", first), ("a", 2)]))
            print("keys", later.load(), later.result() == urd.build("keys", of=OrderedDict(b=first, a=2)))
        """
    folder = project(tmp_path, script)
    folder.write(
        "mine/a_keys.py", "options = dict(of=None)\n\ndef synthesis(options):\n    return list(options.of)\n"
    )
    assert "keys ['b', 'a'] True" in folder.acc("build")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("urd.submit(3)", "the method of a job is a text, not 3"),
        ("urd.build('meet', name=['a'])", "the name of a job is a text, not ['a']"),
        ("urd.begin(None, '2020')", "None names no urd list"),
    ],
)
def test_what_is_no_text_is_told_in_a_line(tmp_path: Path, call: str, message: str) -> None:
    said = project(tmp_path, f"def main(urd):\n    {call}\n").acc("build", code=1)
    assert f"acc: {message}" in said
    assert "Traceback" not in said
