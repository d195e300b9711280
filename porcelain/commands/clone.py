"""`acc clone`: a project made of what a remote has."""

import shlex
import shutil
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cas.errors import AccError, RemoteNotFound
from cas.files import write_atomically
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.remote.state import Remote
from cas.remote.store import RemoteStore
from cas.url import without_secrets
from jobs.errors import UsageError
from jobs.nodes.job import JobNode
from jobs.nodes.outcome import Outcome
from jobs.nodes.run import Run
from jobs.reuse.refnames import LABELS, find_label
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.remotename import ORIGIN
from porcelain.commandline.remoteoptions import FLAGS, add_remote_options
from porcelain.commands import pull, remotes
from porcelain.settings.address import is_relative_folder
from porcelain.settings.place import Place
from porcelain.settings.remote import TABLE, read_remote
from porcelain.settings.service import check_installed
from porcelain.settings.tomlfile import with_table
from porcelain.sharing.looking import look
from porcelain.spec import Resolver, open_resolver

# stands in a folder until all has come
_UNFINISHED: Final = "cloning"
_IGNORED: Final = ".gitignore"
_HEAD: Final = (
    "# This file makes the folder a project of acc; docs/reference/config.md has all that may stand here.\n"
)


def clone(arguments: Sequence[str]) -> int:
    """Make a project of what a remote has."""
    parser, given = _parse(arguments)
    folder = given.folder.absolute()
    values: dict[str, object] = {"url": _absolute(given.url)}
    values |= {flag: True for flag in FLAGS if vars(given)[flag]}
    options = remotes.read_options(parser, given.options)
    values |= {"options": options} if options else {}
    # what no remote can be is refused before anything is made
    meant = read_remote(Place(folder / config.FILE_NAME, "", secretive=True, typed=True), ORIGIN, values)
    check_installed(meant.scheme)
    made = _begin(folder, str(values["url"]))
    resolver = _open(folder, values)
    remote = storage.open_remote(resolver.config, ORIGIN)
    try:
        look(remote)
    except AccError as err:
        _undo(made)
        if isinstance(err, RemoteNotFound):
            raise RemoteNotFound(f"there is no remote of acc at '{without_secrets(given.url)}'") from err
        raise
    _fit(resolver, remote, values)
    code = _pull(open_resolver(config.load(folder)), remote, given)
    (folder / config.DATA_FOLDER / _UNFINISHED).unlink(missing_ok=True)
    if not (given.quiet or given.json):
        term.note(f"next: cd {shlex.quote(str(given.folder))} && acc log")
    return code


def _parse(arguments: Sequence[str]) -> tuple[Parser, Namespace]:
    parser = Parser(
        "clone",
        "make a project of what a remote has",
        prints="as 'acc pull'; interrupted, the same command goes on",
    )
    parser.add_argument("url", metavar="URL", help="of the remote, as 'acc remote add' takes it")
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="where the project is to be; it must not be there, or be empty",
    )
    add_remote_options(parser)
    parser.add_argument(
        "--all-objects",
        action="store_true",
        help="files and datasets too, which else come when they are read",
    )
    parser.add_argument(
        "--results", action="store_true", help="bring the files of result links too, and make the links"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    parser.add_json()
    return parser, parser.parse(arguments, intermixed=True)


def _absolute(url: str) -> str:
    """Return a URL, or the absolute path of a folder that was named in the current one."""
    return str(Path(url).absolute()) if url.strip() and is_relative_folder(url) else url


# -- the folder ----------------------------------------------------------------------------------------------


def _begin(folder: Path, url: str) -> list[Path]:
    """Have a folder for a new project, or one in which the same clone was interrupted; return what was made."""
    mark = folder / config.DATA_FOLDER / _UNFINISHED
    if mark.is_file():
        if mark.read_text(encoding="utf-8") != url:
            raise UsageError(f"in '{folder}' lies a clone of another remote, which was interrupted")
        return []
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(
            f"'{folder}' is there, and not empty",
            hint="name a new folder; in a project, 'acc pull' brings jobs",
        )
    made = [] if folder.exists() else [folder]
    mark.parent.mkdir(parents=True)
    write_atomically(mark, url.encode(), durable=False)
    return made or [*folder.iterdir(), folder / config.FILE_NAME, folder / _IGNORED]


def _undo(made: Sequence[Path]) -> None:
    """Remove what was made, as nothing has come."""
    for path in made:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _open(folder: Path, values: Mapping[str, object]) -> Resolver:
    path = folder / config.FILE_NAME
    if not path.exists():
        path.write_text(_text(values, None), encoding="utf-8")
    if not (folder / _IGNORED).exists():
        (folder / _IGNORED).write_text(".acc/\nresults/\n__pycache__/\n", encoding="utf-8")
    return open_resolver(config.load(folder))


def _text(values: Mapping[str, object], slices: int | None) -> str:
    """Return acc.toml, which names the remote."""
    text = _HEAD if slices is None else f"{_HEAD}\n[project]\nslices = {slices}\n"
    return with_table(text, [TABLE, ORIGIN], values)


def _fit(resolver: Resolver, remote: Remote, values: Mapping[str, object]) -> None:
    """Write into acc.toml into how many slices jobs of the remote are cut, unless somebody has edited it."""
    path = resolver.config.root / config.FILE_NAME
    if path.read_text(encoding="utf-8") != _text(values, None):
        return
    slices = _slices(resolver, remote)
    write_atomically(path, _text(values, slices).encode(), durable=False)


def _slices(resolver: Resolver, remote: Remote) -> int:
    """Return into how many slices the newest of the jobs with the highest numbers was cut."""
    last: dict[str, tuple[int, ObjectId]] = {}
    for name, oid in remote.mirror.refs.names(LABELS):
        workdir, number = find_label(name) or ("", 0)
        last[workdir] = max(last.get(workdir, (0, oid)), (number, oid))
    # nothing is stored yet: all that comes is counted, and noted if it is not trusted, by the pull
    there = RemoteStore(remote)
    runs = [get_node(there, oid, Run) for _, oid in last.values()]
    newest = max(runs, key=lambda run: run.times.end, default=None)
    if newest is None or newest.job is None:
        return resolver.config.slices
    return get_node(there, get_node(there, newest.job, JobNode).outcome, Outcome).slices


def _pull(resolver: Resolver, remote: Remote, given: Namespace) -> int:
    request = ["--all-objects"] * given.all_objects
    request += ["--quiet"] * given.quiet + ["--json"] * given.json
    if resolver.config.get_remote(ORIGIN).trusted:
        return pull.pull_into(request + ["--results"] * given.results, resolver, remote)
    code = pull.fetch_into(request, resolver, remote)
    if not given.quiet:
        term.note(
            f"'{ORIGIN}' is not trusted, so its jobs have no labels here; 'acc log --remote {ORIGIN}' lists them"
        )
        term.note(
            "hint: say trusted = true in acc.toml if you trust all who can write there; then 'acc pull'"
        )
    return code
