"""The examples of the reference page of methods run as they stand, one after another, as the page says."""

import re
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from porcelain import cli

PAGE = Path(__file__).parents[2] / "docs/reference/methods.md"
METHODS = Path(__file__).parents[2] / "porcelain/methods"
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LABELS = "when,customer,country,kilos,note\n"


def make_files(folder):
    """Write what the examples import."""
    january = (
        LABELS + "2024-01-02 09:30,Åsa,se,1.5,\n2024-01-01 12:00,Bo,NA,NA,late\n2024-01-01 07:15,Bo,dk,3,\n"
    )
    texts = {
        "december.csv": LABELS + "2023-12-31 10:00,Åsa,se,0.5,gift\n",
        "january.csv": january,
        "monday.csv": "a,b\n1,2\n",
        "countries.csv": "code,name\nse,Sverige\ndk,Danmark\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "tuesday.csv.zst").write_bytes(zstandard.compress(b"b,a\n4,3\n"))
    with zipfile.ZipFile(folder / "2024.zip", "w") as archive:
        archive.writestr("sales/may.csv", january)
    for month in ("jan", "feb"):
        pq.write_table(pa.table({"tailnum": ["N1", None], "delay": [3, 4]}), folder / f"{month}.parquet")


def test_each_method_has_a_section_with_an_example():
    sections = dict(SECTION.findall(PAGE.read_text()))
    assert {path.stem.removeprefix("a_") for path in METHODS.glob("a_*.py")} == set(sections)
    assert [name for name, text in sections.items() if "urd.build(" not in text or name not in text] == []


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    make_files(tmp_path)
    (tmp_path / "acc.toml").write_text('[project]\nslices = 2\nmethods = ["mine"]\ninput_directory = "."\n')
    lines = "".join(EXAMPLE.findall(PAGE.read_text())).splitlines(keepends=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "mine" / "build.py").write_text("def main(urd):\n" + "".join("    " + line for line in lines))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["build"]) == 0, capsys.readouterr().err
    assert (tmp_path / "results" / "january.csv.gz").exists()
