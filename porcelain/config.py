"""`acc.toml`, found by walking up, to a frozen `Config`; with its settings the only reader of environment and home."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from jobs.errors import NoProject
from porcelain.settings.place import ConfigError, Place, Reader, check_known, flag, folder, one_of, table

if TYPE_CHECKING:
    from porcelain.settings.board import BoardSettings
    from porcelain.settings.remote import Remote

FILE_NAME = "acc.toml"
DATA_FOLDER = ".acc"

Environment: TypeAlias = Literal["exact", "minor", "none"]
Durability: TypeAlias = Literal["none", "batch", "each"]

_SYSTEM_FOLDERS = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/opt", "/proc", "/sys", "/dev", "/run", "/var")
_HOME_FOLDERS = (".cache", ".config", ".local", ".matplotlib", ".ipython", "Library")

_WORKDIR = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")


class NoSuchRemote(ConfigError, LookupError):
    """A name that no remote of the project has."""


class Config(NamedTuple):
    """What `acc.toml` says, with every default filled in and every path absolute.

    Attributes
    ----------
    board
        None when it says nothing of the board.
    """

    root: Path
    slices: int
    methods: tuple[str, ...]
    input_directory: Path
    result_directory: Path
    environment: Environment
    keep_inputs: bool
    durability: Durability
    workdirs: Mapping[str, Path]
    remotes: Mapping[str, "Remote"]
    board: "BoardSettings | None" = None

    @property
    def data(self) -> Path:
        """The `.acc` folder: store, refs, caches."""
        return self.root / DATA_FOLDER

    @property
    def workdir(self) -> str:
        """The workdir that new jobs go to: the first."""
        return next(iter(self.workdirs))

    def get_remote(self, name: str) -> "Remote":
        """Return the remote of that name; raise `NoSuchRemote` when there is none."""
        if name not in self.remotes:
            # here, not above: it is asked for by those who have mistyped
            from cas.url import without_secrets

            known = ", ".join(self.remotes)
            raise NoSuchRemote(
                f"no remote '{without_secrets(name)}'",
                hint=f"there are: {known}" if known else "'acc remote add NAME URL' adds one",
            )
        return self.remotes[name]


def find_root(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that holds an `acc.toml`, or None."""
    for place in (start, *start.parents):
        if (place / FILE_NAME).is_file():
            return place
    return None


def get_root(start: Path) -> Path:
    """Return the project folder at or above `start`; raise `NoProject` when there is none."""
    root = find_root(start)
    if root is None:
        raise NoProject(
            f"no {FILE_NAME} in '{start}' or above", hint="'acc init' makes this folder a project"
        )
    return root


def load(root: Path) -> Config:
    """Return the configuration of the project in `root`."""
    # here, not above: `acc hash-object` reads no configuration, and tomllib costs as much as all else there
    import tomllib

    path = root / FILE_NAME
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"'{path}' is not TOML: {err}") from err
    except OSError as err:
        raise ConfigError(f"cannot read '{path}': {err.strerror}") from err
    return _to_config(root, path, tables)


def here() -> Config:
    """Return the configuration of the project that the current folder lies in."""
    return load(get_root(Path.cwd()))


def wants_color() -> bool:
    """Return whether the user did not turn colours off (`NO_COLOR`, or a terminal without any)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def job_environment() -> dict[str, str]:
    """Return the environment variables that jobs start with: those of the user."""
    return dict(os.environ)


def has_environment(variables: Mapping[str, str]) -> bool:
    """Return whether this process was started with these environment variables."""
    return all(os.environ.get(name) == value for name, value in variables.items())


def user() -> str:
    """Return the name of the user, or "" when the system knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def urd_user() -> str:
    """Return the user whose urd lists are meant: the first part of `URD_AUTH`, else who works here."""
    found = os.environ.get("URD_AUTH", "").partition(":")[0] or os.environ.get("USER") or user()
    # it is a part of the names of refs
    return found.replace("/", "_").encode("utf-8", "replace").decode().strip(".") or "nobody"


def system_folders() -> tuple[Path, ...]:
    """Return folders whose files a job reads without that being a fact: the system's, and hidden ones at home."""
    home = Path.home()
    return (*map(Path, _SYSTEM_FOLDERS), *(home / name for name in _HOME_FOLDERS))


def temporary_folder() -> Path:
    """Return the folder of temporary files."""
    import tempfile

    return Path(tempfile.gettempdir())


def _slices(place: Place, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000:
        raise place.error("a whole number from 1 to 10000", value)
    return value


def _methods(place: Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise place.error('a list of packages, such as ["mymethods"]', value)
    return tuple(value)


def _workdir(place: Place, name: str, value: object) -> Path:
    # `build-7` names a build, so a workdir cannot have that name
    if not _WORKDIR.fullmatch(name) or name == "build":
        raise place.remark(
            f"'{name}' cannot name a workdir",
            hint="use letters, digits, '_' and '-', beginning with a letter; 'build' is taken",
        )
    return folder(place, value)


_PROJECT: Mapping[str, Reader] = {
    "slices": _slices,
    "methods": _methods,
    "input_directory": folder,
    "result_directory": folder,
    "environment": one_of("exact", "minor", "none"),
    "keep_inputs": flag,
    "durability": one_of("none", "batch", "each"),
}
_DEFAULTS: Mapping[str, object] = {
    "slices": 8,
    "methods": [],
    "input_directory": "input",
    "result_directory": "results",
    "environment": "minor",
    "keep_inputs": False,
    "durability": "batch",
}
_DEFAULT_WORKDIRS = {"dev": f"{DATA_FOLDER}/jobs"}


def _to_config(root: Path, path: Path, tables: Mapping[str, object]) -> Config:
    top = Place(path, "")
    check_known(top, tables, ("project", "workdirs", "remotes", "board"))
    within = top.within("project")
    project = table(within, tables.get("project", {}))
    check_known(within, project, _PROJECT)
    given = {**_DEFAULTS, **project}
    values = {key: read(within.within(key), given[key]) for key, read in _PROJECT.items()}
    within = top.within("workdirs")
    workdirs = table(within, tables.get("workdirs", {})) or _DEFAULT_WORKDIRS
    read = {name: _workdir(within.within(name), name, value) for name, value in workdirs.items()}
    return Config(
        root=root,
        workdirs=MappingProxyType(read),
        remotes=_remotes(path, tables),
        board=_board(path, tables),
        **values,  # type: ignore[arg-type]  # each reader has checked its value
    )


def _remotes(path: Path, tables: Mapping[str, object]) -> Mapping[str, "Remote"]:
    if "remotes" not in tables:
        return MappingProxyType({})
    # here, not above: most projects have none
    from porcelain.settings.remote import read_remotes

    return read_remotes(path, tables["remotes"])


def _board(path: Path, tables: Mapping[str, object]) -> "BoardSettings | None":
    if "board" not in tables:
        return None
    # here, not above: few commands ask, and most projects say nothing of it
    from porcelain.settings.board import read_board

    return read_board(path, tables["board"])
