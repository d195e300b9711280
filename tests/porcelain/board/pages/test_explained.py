"""Why a job ran, and would run again."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from jobs.nodes.run import Failure
from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked
from porcelain.board.pages import explained
from porcelain.board.rendering import to_html


def test_what_a_build_would_do_is_told_as_things_are_now(tmp_path):
    (tmp_path / "acc.toml").write_text('[project]\nmethods = ["mine"]\n')
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "build.py").write_text('def main(urd):\n    urd.build("count")\n')
    method = package / "a_count.py"
    method.write_text("def synthesis():\n    return 1\n")
    subprocess.run([sys.executable, "-m", "acc", "build"], cwd=tmp_path, check=True, capture_output=True)
    with ShownProject(config.load(tmp_path)) as project:
        asked = Asked("/job/count/why", {"spec": "count"}, {})

        def fate(_: int = 0) -> str:
            return explained.why(project, asked).view["fate"]

        assert fate() == "would be reused"
        method.write_text("def synthesis():\n    return 2  # <changed>\n")
        with ThreadPoolExecutor() as pool:
            fates = set(pool.map(fate, range(4)))
        assert fates == {"would run again: source mine/a_count.py changed"}
        html = to_html(explained.why(project, asked), asked, "project")
        assert '<span class="come">+    return 2  # &lt;changed&gt;</span>' in html
        # a method that does not load is no failure of the board
        method.write_text("def synthesis(:\n")
        assert fate().startswith("would not run")


def test_why_a_job_that_failed_ran_is_told(project, look):
    row = project.job("fails", failure=Failure("ValueError: no", "prepare", None, ""), why="it was <new>")
    shown = look(explained.why, row.label)
    assert shown.view["fate"] == "would run again: a failed job is never reused"
    assert "it was &lt;new&gt;" in shown.html
