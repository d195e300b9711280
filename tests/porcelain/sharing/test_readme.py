"""What the README says of sharing works as it is typed, with a folder as the bucket."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECTION = re.search(
    r"^## Share with your team$(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
)
BUCKET = "s3://team-bucket/tour"


def typed(text: str, folder: Path, bucket: Path) -> str:
    """Type the lines of a block in a folder, and return what they print."""
    script = f"set -e\nacc() {{ '{sys.executable}' -m acc \"$@\"; }}\n{text.replace(BUCKET, str(bucket))}"
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_shares_as_it_says(tmp_path):
    assert SECTION is not None
    first, second = re.findall(r"^```sh\n(.*?)^```", SECTION[1], re.DOTALL | re.MULTILINE)
    for name in ("ann", "bo"):
        (tmp_path / name).mkdir()
    typed("acc init tour && cd tour && acc build", tmp_path / "ann", tmp_path / "bucket")
    typed(first, tmp_path / "ann/tour", tmp_path / "bucket")
    shown = typed(second, tmp_path / "bo", tmp_path / "bucket")
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
    assert "3 jobs, all reused" in typed("acc build", theirs, tmp_path / "bucket")
