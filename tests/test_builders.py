"""Several builds at once over the same jobs: each job runs once while nobody dies, and results are right always."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.projects import Folder

NODES = 12
METHODS = {
    # what it returns follows from the whole graph above it; each execution leaves a line
    "mine/a_node.py": """
        import os

        options = dict(n=0, folder="")
        jobs = (["above"],)

        def analysis(sliceno, options):
            return sliceno * options.n

        def synthesis(job, options, jobs, analysis_res):
            trace = os.open(f"{options.folder}/{options.n}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            os.write(trace, b"ran\\n")
            os.close(trace)
            return options.n + sum(analysis_res) + sum(above.load() for above in jobs.above)
        """,
    "mine/a_both.py": """
        from acc import build

        options = dict(left=0, right=0, folder="")

        def synthesis(options):
            return sum(build("node", n=n, folder=options.folder).load() for n in (options.left, options.right))
        """,
}


def graph() -> dict[int, list[int]]:
    """Return for each node the nodes above it."""
    draw = random.Random(7)
    return {n: sorted(draw.sample(range(n), min(n, draw.randrange(3)))) for n in range(NODES)}


def value(n: int, above: dict[int, list[int]]) -> int:
    """Return what node `n` returns, with two slices."""
    return 2 * n + sum(value(other, above) for other in above[n])


def script(seed: int, folder: Path) -> str:
    """Return a build script that wants some of the nodes, in an order of its own, and a job with two as subjobs."""
    draw = random.Random(seed)
    wanted = draw.sample(range(NODES), 6)
    return f"""
above = {graph()}

def main(urd):
    def node(n):
        return urd.build("node", n=n, folder={str(folder)!r}, above=[node(other) for other in above[n]])
    for n in {wanted}:
        print("node", n, node(n).load())
    urd.build("both", left={NODES + 1}, right={NODES + 2 + seed % 2}, folder={str(folder)!r})
"""


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    folder = tmp_path / "traces"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path, traces: Path) -> Folder:
    scripts = {f"mine/build_s{seed}.py": script(seed, traces) for seed in range(8)}
    return Folder(tmp_path / "project", METHODS | scripts)


def begin(folder: Folder, seed: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        folder.command("build", f"s{seed}"),
        cwd=folder.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check_results(folder: Folder, seed: int, said: str) -> None:
    above = graph()
    lines = [line.split() for line in said.splitlines() if line.startswith("node ")]
    assert len(lines) == 6, said
    assert all(int(found) == value(int(n), above) for _, n, found in lines)


@pytest.mark.parametrize("builders", [2, 8])
def test_builders_of_overlapping_graphs_run_each_job_once(
    folder: Folder, traces: Path, builders: int
) -> None:
    processes = [begin(folder, seed) for seed in range(builders)]
    for seed, process in enumerate(processes):
        said, _ = process.communicate()
        assert process.returncode == 0, said
        check_results(folder, seed, said)
    assert {path.name: path.read_text() for path in traces.iterdir()} == {
        path.name: "ran\n" for path in traces.iterdir()
    }
    folder.acc("fsck")


@pytest.mark.slow
@pytest.mark.parametrize("builders", [2, 8])
@pytest.mark.parametrize("seed", range(5))
def test_builders_that_are_killed_leave_right_results(folder: Folder, builders: int, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(6):
        processes = [begin(folder, number) for number in range(builders)]
        for process in draw.sample(processes, builders // 2):
            try:
                process.communicate(timeout=draw.uniform(0.05, 1.5))
            except subprocess.TimeoutExpired:
                process.kill()
        for number, process in enumerate(processes):
            said, _ = process.communicate()
            if process.returncode == 0 and said:
                check_results(folder, number, said)
    folder.acc("fsck")
    for number in range(builders):
        check_results(folder, number, folder.acc("build", f"s{number}"))
    assert folder.ran("build", "s0") == []
