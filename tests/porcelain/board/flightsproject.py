"""The flights example, copied and built."""

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"


def build_flights(folder: Path) -> Path:
    """Return a new folder with the example, of which all jobs are built."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".acc", "results", "__pycache__"))
    subprocess.run([sys.executable, "-m", "acc", "build"], cwd=folder, check=True, capture_output=True)
    return folder
