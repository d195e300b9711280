"""The how-to about urd, walked as it is typed."""

import re
from pathlib import Path

import pytest

from tests.projects import Folder

PAGE = Path(__file__).parent.parent / "docs/howto/urd.md"
TOTALS = """
    from collections import Counter

    datasets = ("source",)

    def analysis(sliceno, datasets):
        totals = Counter()
        for fruit, kilos in datasets.source.iterate_chain(sliceno, ["fruit", "kilos"]):
            totals[fruit] += kilos
        return totals

    def synthesis(analysis_res, job):
        job.json_save(dict(analysis_res.merge_auto()), "totals.json")
    """


def shown(text: str) -> list[list[str]]:
    """Return the words of each line, without times, ids and what was printed on the way."""
    lines = [line.split() for line in text.splitlines()]
    return [[word for word in words if not re.fullmatch(r"[\d.]+|[0-9a-f]{64}", word)] for words in lines]


def test_the_howto_about_urd_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URD_AUTH", "anna:")
    page = PAGE.read_text(encoding="utf-8")
    scripts = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    printed = re.findall(r"^\$ (acc [^\n]*)\n((?:(?!```|\$ ).*\n)*)", page, re.MULTILINE)
    folder = Folder(tmp_path, {"mine/a_totals.py": TOTALS})
    for name, text in zip(("import", "report", "again"), scripts, strict=True):
        folder.write(f"mine/build_{name}.py", text)
    first, second, listed, report, *named = printed

    def run(command: str) -> str:
        words = [word.strip("'") for word in command.split()[1:]]
        return folder.acc(*words)

    assert "nothing is imported yet" in folder.acc("build", "report", code=1)
    for day, (command, text) in (("2026-03-01", first), ("2026-03-02", second)):
        folder.write(f"input/{day}.csv", "fruit,kilos\napple,2\npear,1.5\n")
        assert shown(run(command)) == shown(text)
    assert [words[:2] for words in shown(run(listed[0]))] == [words[:2] for words in shown(listed[1])]
    folder.acc("build", "report")
    assert shown(run(report[0]))[4:] == shown(report[1])[4:]
    folder.acc("build", "report", "--horizon", "2026-03-01")
    for command, _ in named:
        assert run(command)
    assert "{'count': 1, 'deps': 1}" in folder.acc("build", "again")
    assert "2026-03-02" in folder.acc("urd", "import/", "--ghosts")
    assert folder.acc("build", "import").splitlines()[-1].startswith("2 jobs, all reused")
