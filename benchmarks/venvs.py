"""Venvs in `.work`, for what would disturb the one that acc is in; each is made once."""

import subprocess
import sys

from sides import WORK


def venv_folder(name):
    """Return the folder of the venv called `name`."""
    return WORK / f"venv-{name}"


def site_packages(name):
    """Return where the packages of that venv lie."""
    return next(venv_folder(name).glob("lib/python*/site-packages"))


def has_venv(name):
    """Return whether the venv called `name` is there as a whole."""
    return (venv_folder(name) / "made").exists()


def make_venv(name, *requirements):
    """Return the folder of the venv called `name`, which is made with `requirements` in it unless it is there."""
    folder = venv_folder(name)
    if not has_venv(name):
        print(f"installing {' '.join(requirements)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        (folder / "made").touch()
    return folder
