"""What is only at a remote is read from there, by commands, jobs and plain programs; and only what is read comes."""

import json
import subprocess
import sys

import pytest

from cas.oid import ObjectId
from porcelain import config, storage
from porcelain.stored import StoredProject
from tests.porcelain.sharing.projects import name_remote, send_all, take_all
from tests.projects import Folder

COLUMNS = 20
METHODS = {
    "mine/a_make.py": f"""
        import random

        def prepare(job):
            job.save({{"answer": 42}}, "d.pickle")
            job.json_save(["a", 1], "d.json")
            dw = job.datasetwriter()
            for n in range({COLUMNS}):
                dw.add(f"c{{n:02}}", "int64")
            return dw

        def analysis(sliceno, prepare_res):
            draw = random.Random(sliceno)
            for _ in range(3000):
                prepare_res.write(*(draw.getrandbits(60) for _ in range({COLUMNS})))

        def synthesis(job):
            with job.open("big.bin", "wb") as file:
                file.write(random.Random(7).randbytes(20 << 20))
            job.save("hello", "text.pickle")
            print("made")
            return "done"
        """,
    "mine/a_use.py": """
        datasets = ("source",)
        jobs = ("made",)

        def prepare(jobs):
            return jobs.made.load("d.pickle")["answer"]

        def analysis(sliceno, datasets, prepare_res, jobs):
            assert jobs.made.load("text.pickle") == "hello"
            return prepare_res + sum(a ^ b for a, b in datasets.source.iterate(sliceno, ["c03", "c07"]))

        def synthesis(analysis_res, jobs):
            with open(jobs.made.filename("big.bin"), "rb") as file:
                return sum(analysis_res) + len(file.read())
        """,
    "build.py": """
        def main(urd):
            urd.build("make")
        """,
    "build_use.py": """
        def main(urd):
            made = urd.build("make")
            print(urd.build("use", source=made, made=made).load())
        """,
}


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    """A project with a job, which is at a remote in a folder too."""
    root = tmp_path_factory.mktemp("ann")
    folder = Folder(root / "project", METHODS, slices=4)
    name_remote(folder, (root / "remote").as_uri())
    folder.acc("build")
    send_all(folder.root)
    return folder


@pytest.fixture
def url(ann):
    return (ann.root.parent / "remote").as_uri()


@pytest.fixture
def bob(ann, url, tmp_path):
    """Another project, which has fetched the nodes of that job."""
    folder = Folder(tmp_path / "bob", METHODS, slices=4)
    name_remote(folder, url)
    take_all(folder.root)
    return folder


def blob_of(folder: Folder, spec: str) -> ObjectId:
    return ObjectId(folder.acc("rev-parse", spec).strip())


def has(folder: Folder, oid: ObjectId) -> bool:
    return storage.open_store(config.load(folder.root)).alone().has(oid)


def test_a_file_is_printed_that_is_only_at_the_remote(ann, bob):
    blob = blob_of(bob, "make:d.json")
    assert not has(bob, blob)
    assert bob.acc("cat-file", "-s", blob) == ann.acc("cat-file", "-s", blob)
    assert not has(bob, blob)
    bob.acc("cat-file", "-e", blob)
    assert bob.acc("cat-file", "-p", blob[:12]).split() == ["[", '"a",', "1", "]"]
    assert has(bob, blob)


def test_a_job_reads_what_is_only_at_the_remote_in_all_its_processes(ann, bob):
    expected = ann.acc("build", "use").split()
    assert bob.ran("build", "use") == ["use"]
    assert json.loads(bob.acc("cat-job", "--run", "use"))["run"]["facts"] == []
    assert bob.acc("build", "use").split()[-1] == expected[-1]


def test_of_a_dataset_only_the_columns_come_that_are_read(bob):
    project = StoredProject(config.load(bob.root))
    with project:
        dataset = project.context.get_job("make").dataset()
        list(dataset.iterate(None, "c05"))
        column = dataset.get_column_node("c05")
        here = {
            name
            for name in dataset.columns
            for piece in dataset.get_column_node(name).slices
            if project.store.alone().has(piece.blob)
        }
        assert here == {"c05"}
        assert sum(piece.bytes for piece in column.slices) > 4 * 3000 * 7


def test_columns_of_all_slices_come_in_few_requests(bob):
    project = config.load(bob.root)
    remote = storage.open_remote(project, "origin")
    stored = StoredProject(project)
    from cas.remote.promises import Promises

    stored.store.source = Promises(lambda: [remote])
    with stored:
        dataset = stored.context.get_job("make").dataset()
        for sliceno in range(4):
            list(dataset.iterate(sliceno, ["c01", "c02", "c03"]))
    assert remote.bucket.traffic.requests <= 4


def test_a_plain_program_loads_what_is_only_at_the_remote(bob):
    program = "from acc import Job; print(Job('make').load('d.pickle')['answer'], Job('make').load())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=bob.root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "42 done\n"


def test_what_a_job_printed_comes_when_it_is_looked_at(bob):
    assert "made" in bob.acc("job", "-o", "make")
