"""Standard methods that read files at URLs."""

import gzip
import io
import zipfile

import pytest

from jobs.errors import NoSuchFile
from jobs.execution.executors.processes import ProcessExecutor
from porcelain import config
from porcelain.project import Project
from tests.methods.bench import Bench, rows
from tests.web import LONG_AGO, Web


@pytest.fixture
def web(tmp_path):
    (tmp_path / "web").mkdir()
    web = Web(tmp_path / "web")
    yield web
    web.close()


def test_a_url_is_imported_once_for_its_content(bench, web):
    one, other = (gzip.compress(b"n\n%d\n" % number) for number in (1, 2))
    url = web.write("x.csv.gz", one)
    first = bench.build("csvimport", filename=url)
    assert (rows(first.dataset()), first.dataset().filename) == ([(b"1",)], url)
    assert bench.build("csvimport", filename=f"{url}?token=secret") == first
    web.write("x.csv.gz", other, LONG_AGO + 9)
    assert rows(bench.build("csvimport", filename=url).dataset()) == [(b"2",)]
    # what is there again as it was need not be imported again
    web.write("x.csv.gz", one, LONG_AGO + 99)
    web.fetched.clear()
    assert [bench.build("csvimport", filename=url) for _ in range(2)] == [first] * 2
    assert len(web.fetched) == 1


def test_files_in_a_zip_file_at_a_url_are_named_by_it(bench, web):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", "v\n1\n")
    url = web.write("x.zip", stream.getvalue())
    job = bench.build("csvimport_zip", filename=url)
    assert (rows(job.dataset()), job.dataset().filename) == ([(b"1",)], f"{url}:a.csv")
    assert bench.build("csvimport_zip", filename=url) == job
    assert len(web.fetched) == 1


def test_a_url_and_a_file_become_one_dataset(bench, web):
    names = [web.write("x.csv", b"n\n1\n"), bench.write(b"n\n2\n", "y.csv")]
    assert rows(bench.build("csvimport", filename=names).dataset()) == [(b"1",), (b"2",)]


def test_what_is_not_there_is_an_error_before_anything_runs(bench, web):
    with pytest.raises(NoSuchFile, match="no input file 'http"):
        bench.build("csvimport", filename=f"{web.url}/no.csv")


def test_jobs_in_processes_read_what_the_building_process_fetched(tmp_path, web):
    (tmp_path / "acc.toml").write_text('[project]\nslices = 2\ndurability = "none"\n')
    (tmp_path / "input").mkdir()
    executor = ProcessExecutor(config.job_environment(), 2)
    with Project(config.load(tmp_path), executor=executor) as project:
        bench = Bench(tmp_path, project)
        for number in range(2):
            url = web.write("x.csv", b"n\n%d\n" % number, LONG_AGO + number)
            assert rows(bench.build("csvimport", filename=url).dataset()) == [(b"%d" % number,)]
