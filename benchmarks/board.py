"""The workload `board`: what each page takes in a project of 100,000 jobs."""

import json
import shutil
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from sides import ENVIRONMENT, HERE, JOBS, REPS, WORK

sys.path.append(str(HERE.parent))  # the tests have the same project, only smaller
from tests.porcelain.board.manyjobs import ManyJobs

MANY = 500 * JOBS
LIMIT = 0.1
JSON, HTML = "application/json", "text/html"

# every page of the board; one that has parameters with those that make it work most
PAGES = (
    ("results", "/"),
    ("result", "/result/sales-{last}.svg"),
    ("jobs", "/jobs"),
    ("jobs, the last page", "/jobs?page={pages}"),
    ("jobs, by size, of one method", "/jobs?sort=size&method=plot_sales"),
    ("jobs, by seconds, with a word of half of them", "/jobs?sort=seconds&text=week"),
    ("job", "/job/dev-LATEST"),
    ("job, output", "/job/dev-LATEST/output"),
    ("job, source", "/job/dev-LATEST/source"),
    ("job, graph", "/job/dev-LATEST/graph"),
    ("job, graph, and what was made from it", "/job/dev-40000/graph?later=1"),
    ("job, what used it", "/job/{import}/users"),
    ("job, what holds the same", "/job/{import}/shared"),
    ("job, why", "/job/{plot}/why"),
    ("file", "/file/{plot}/plot.svg"),
    ("who has a file", "/holders/{blob}"),
    ("who has a source of 10,000 jobs", "/holders/{source}"),
    ("chain", "/chain/import_sales/default"),
    ("dataset, graph", "/dataset/import_sales/default/graph"),
    ("dataset", "/dataset/import_sales/default"),
    ("column", "/column/import_sales/default?name=amount"),
    ("rows", "/rows/import_sales/default"),
    ("rows, sorted and chosen", "/rows/import_sales/default?sort=-amount&where.region=north"),
    ("search, a word of a few", "/search?q=13999"),
    ("search, a word of all", "/search?q=week"),
    ("search, two words", "/search?q=plot+north"),
    ("store", "/store"),
    ("builds", "/builds"),
    ("build", "/build/build-1"),
    ("build, graph", "/build/build-1/graph"),
    ("live", "/live"),
    ("last error", "/last_error"),
    ("script", "/script/sales"),
    ("urd", "/urd"),
    ("methods", "/methods"),
    ("method", "/method/plot_sales"),
    ("workdirs", "/workdirs"),
    ("compare", "/compare?a=dev-2&b=dev-LATEST"),
    ("compare, what came of them", "/compare/outcomes?a=dev-2&b=dev-LATEST"),
)


def board(table):
    """Measure the pages into `table`."""
    root = WORK / "board"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    print(f"making {MANY:,} jobs ...", file=sys.stderr)
    ManyJobs(root).make(MANY)
    with _Board(root) as first:
        for what, field in (("listed", "listed"), ("read", "read")):
            table.row(f"the catalogue: all jobs {what}", unit="s").add("acc", first.seconds_until(field))
    with _Board(root) as again:
        table.row("start, nothing new").add("acc", again.started)
        again.seconds_until("read")
        _measure_pages(again, table)
    shutil.rmtree(root)


def _measure_pages(running, table):
    jobs = running.ask("/jobs", JSON)[2]
    names = _names(running, jobs)
    lacking = []
    for name, path in PAGES:
        address = path.format(**names)
        status, _, _ = running.ask(address, JSON)
        if status != 200:
            lacking.append(name)
            continue
        for accept in (HTML, JSON):
            row = f"{name}, {'JSON' if accept == JSON else 'HTML'}"
            times = [running.ask(address, accept)[1] for _ in range(10 * REPS)]
            for seconds in times:
                table.row(row, limit=LIMIT).add("acc", seconds)
            table.row(f"{row}, worst", limit=LIMIT).add("acc", max(times))
    if lacking:
        table.note(f"not answered, so not measured: {'; '.join(lacking)}")


def _names(running, jobs):
    """Return what stands in the addresses of pages."""
    # the newest of each: results are of the last jobs
    done = {job["method"]: job["label"] for job in reversed(jobs["jobs"]) if job["state"] == "done"}
    plot = done["plot_sales"]
    return {
        "pages": jobs["pages"],
        "plot": plot,
        "import": done["import_sales"],
        "last": plot.rpartition("-")[2],
        "blob": running.ask(f"/file/{plot}/plot.svg", JSON)[2]["blob"],
        "source": running.ask(f"/job/{plot}", JSON)[2]["source"],
    }


class _Board:
    """`acc board` of a project."""

    def __init__(self, root):
        self._command = [Path(sys.executable).parent / "acc", "board", "--listen", "localhost:0"]
        self._root = root

    def __enter__(self):
        self.begun = time.monotonic()
        self._process = subprocess.Popen(
            self._command, cwd=self._root, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        )
        self._where = urlsplit(self._process.stdout.readline().strip())
        self.ask("/static/board.css", HTML)
        self.started = time.monotonic() - self.begun
        return self

    def __exit__(self, *error):
        self._process.terminate()
        self._process.wait(60)

    def ask(self, path, accept):
        """Return status, seconds and, of JSON, what a page says."""
        connection = HTTPConnection(self._where.hostname, self._where.port, timeout=600)
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - begun
        connection.close()
        return answer.status, seconds, json.loads(body) if accept == JSON and body[:1] == b"{" else None

    def seconds_until(self, field):
        """Return how long after its start all jobs are listed, or read."""
        while True:
            page = self.ask("/store", JSON)[2]
            if page and page[field] >= MANY:
                return time.monotonic() - self.begun
            time.sleep(0.1)
