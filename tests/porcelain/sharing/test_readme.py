"""What the README says of sharing works as it is typed: with a folder as the bucket, and with a bucket."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.place import Place

ROOT = Path(__file__).parents[3]
SECTION = re.search(
    r"^## Share with your team$(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
)
BUCKET = "s3://team-bucket/tour"


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> Place:
    """Where the bucket of the README is meant to be."""
    if request.param == "folder":
        return Place(str(tmp_path / "bucket"), {}, {})
    there = request.getfixturevalue("seaweed").new_place()
    return replace(
        there, environment={**there.environment, "AWS_ENDPOINT_URL": there.options["endpoint_url"]}
    )


def typed(text: str, folder: Path, place: Place) -> str:
    """Type the lines of a block in a folder, and return what they print."""
    script = f"set -e\nacc() {{ '{sys.executable}' -m acc \"$@\"; }}\n{text.replace(BUCKET, place.url)}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={**os.environ, **place.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_shares_as_it_says(tmp_path, place):
    assert SECTION is not None
    first, second = re.findall(r"^```sh\n(.*?)^```", SECTION[1], re.DOTALL | re.MULTILINE)
    for name in ("ann", "bo"):
        (tmp_path / name).mkdir()
    typed("acc init tour && cd tour && acc build", tmp_path / "ann", place)
    typed(first, tmp_path / "ann/tour", place)
    shown = typed(second, tmp_path / "bo", place)
    assert "dev-3@origin  dev-3  totals" in shown
    assert "nothing new at origin" in shown
    # what the first has computed the second does not
    theirs = tmp_path / "bo/tour"
    (theirs / "acc.toml").write_text(
        (theirs / "acc.toml").read_text().replace("[project]\n", '[project]\nmethods = ["mymethods"]\n')
    )
    for folder in ("mymethods", "input"):
        (theirs / folder).mkdir()
        for path in (tmp_path / "ann/tour" / folder).glob("*.*"):
            (theirs / folder / path.name).write_bytes(path.read_bytes())
    assert "3 jobs, all reused" in typed("acc build", theirs, place)
