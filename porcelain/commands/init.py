"""`acc init`: a folder becomes a project that runs at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.errors import UsageError
from porcelain import config, term
from porcelain.commandline.arguments import Parser

_TEMPLATES = Path(__file__).parent.parent / "templates"
_PACKAGE = "mymethods"

# where each template goes
_ALWAYS: Mapping[str, str] = {"acc.toml": "acc.toml", ".gitignore": "gitignore"}
_EXAMPLE: Mapping[str, str] = {
    f"{_PACKAGE}/__init__.py": "init.py",
    f"{_PACKAGE}/a_totals.py": "a_totals.py",
    f"{_PACKAGE}/build.py": "build.py",
    "input/sales.csv": "sales.csv",
}


def init(arguments: Sequence[str]) -> int:
    """Make a folder a project that runs at once."""
    parser = Parser(
        "init",
        "make a folder a project that runs at once",
        prints="each file that it wrote, or kept as it was: acc.toml, a first method, a build script, an input file",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="made when it is missing"
    )
    folder: Path = parser.parse(arguments).folder
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{folder}' is a file", hint="name a folder, new or old")
    # a folder with acc.toml or such a package has methods of its own, so an example would be in the way
    is_begun = (folder / config.FILE_NAME).exists() or (folder / _PACKAGE).exists()
    templates = {**_ALWAYS, **({} if is_begun else _EXAMPLE)}
    script = ""
    if not is_begun and (folder / "build.py").exists():
        # theirs has the name of the default script, whatever it is
        script = " totals"
        templates[f"{_PACKAGE}/build_totals.py"] = templates.pop(f"{_PACKAGE}/build.py")
    term.columns([[_write(folder / name, template), name] for name, template in templates.items()])
    term.line()
    if is_begun:
        term.line("a project already; 'acc method' and 'acc script' list what it has")
    else:
        where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
        term.line(f"next: {where}acc build{script}")
        term.line("then: acc log, acc job totals, acc ds totals.source")
    return 0


def _write(path: Path, template: str) -> str:
    if path.exists() or path.is_symlink():
        return "kept"
    path.parent.mkdir(parents=True, exist_ok=True)
    # "x": nothing is overwritten, whoever else writes here at this moment
    with open(path, "x", encoding="utf-8") as stream:
        stream.write((_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8"))
    return "wrote"
