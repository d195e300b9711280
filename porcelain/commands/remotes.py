"""`acc remote`: the places elsewhere that acc.toml names; nothing here asks the network."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.remoteoptions import FLAGS, add_remote_options
from porcelain.layout import Column
from porcelain.settings.address import is_relative_folder
from porcelain.settings.place import ConfigError, Place
from porcelain.settings.remote import TABLE, Remote, check_name, read_remote
from porcelain.settings.service import check_installed
from porcelain.settings.tomlfile import rewrite, to_toml, with_table, without_table
from porcelain.views.plain import View
from porcelain.views.remote_views import remote_view

# no text of UTF-8 has these: they stand for bytes of a command line
_SURROGATE = re.compile("[\ud800-\udfff]")
_REQUIRED = "the following arguments are required"


class _Parser(Parser):
    """The arguments of one command; what is wrong with them is said without repeating words: one may be a secret."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and leave with code 2."""
        what, _, _ = message.partition(": ")
        super().error(message if what == _REQUIRED else what)


def remote(arguments: Sequence[str]) -> int:
    """List, add, show or remove remotes."""
    if arguments and arguments[0] in _ACTIONS:
        return _ACTIONS[arguments[0]](arguments[1:])
    parser = _Parser(
        "remote",
        "list, add, show or remove remotes: places elsewhere, by which projects share jobs",
        prints="a line for each remote of acc.toml: its name, its URL, and what is true of read, write and trusted\n\n"
        "  acc remote [list] [--json]        these lines\n"
        "  acc remote add NAME URL           add one; --help says how\n"
        "  acc remote show NAME [--json]     all that is known of one\n"
        "  acc remote remove NAME            forget one; what lies there stays",
    )
    return _list(parser, arguments)


def _list_named(arguments: Sequence[str]) -> int:
    parser = _Parser(
        "remote list",
        "list remotes",
        prints="a line for each remote of acc.toml: its name, its URL, and what is true of read, write and trusted",
    )
    return _list(parser, arguments)


def _list(parser: Parser, arguments: Sequence[str]) -> int:
    parser.add_json()
    given = parser.parse(arguments)
    views = [remote_view(found) for found in config.here().remotes.values()]
    if given.json:
        term.emit_json(views)
    elif not views:
        term.note("no remotes yet; 'acc remote add NAME URL' adds one")
    else:
        columns = [Column("name"), Column("url", cut=True), Column("flags")]
        term.table(columns, [[view["name"], view["url"], _flags(view)] for view in views])
    return 0


def _flags(view: View) -> str:
    return " ".join(flag for flag in FLAGS if view[flag])


def _show(arguments: Sequence[str]) -> int:
    parser = _Parser(
        "remote show",
        "show all that is known of a remote",
        prints="its URL, whether builds read and write there, whether it is trusted, and the options of its filesystem",
    )
    parser.add_argument("name", metavar="NAME", help="a remote of acc.toml")
    parser.add_json()
    given = parser.parse(arguments)
    found = config.here().get_remote(given.name)
    view = remote_view(found)
    if given.json:
        term.emit_json(view)
        return 0
    term.heading(found.name)
    facts = {"url": view["url"]} | {flag: "yes" if view[flag] else "no" for flag in FLAGS}
    term.fields(facts)
    term.section("options", ([key, to_toml(value)] for key, value in _flat(view["options"])))
    return 0


def _flat(options: Mapping[str, Any], before: str = "") -> list[tuple[str, object]]:
    """Return options by their names, those in tables with the names of these before."""
    pairs: list[tuple[str, object]] = []
    for name, value in options.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{before}{name}.")
        else:
            pairs.append((before + name, value))
    return pairs


def _add(arguments: Sequence[str]) -> int:
    parser = _Parser(
        "remote add",
        "add a remote to acc.toml; nothing is asked of it yet",
        prints="its name and its URL",
    )
    parser.add_argument("name", metavar="NAME", help="how commands call it, such as origin")
    parser.add_argument(
        "url",
        metavar="URL",
        help="s3://BUCKET/FOLDER, gs://..., abfs://CONTAINER/..., sftp://USER@SERVER/..., https://..., or the path of "
        "a folder; without passwords and keys, which belong into the environment or files of the provider",
    )
    add_remote_options(parser)
    given = parser.parse(arguments)
    project = config.here()
    options = read_options(parser, given.options)
    values: dict[str, object] = {"url": _from_root(given.url, project.root)}
    values |= {flag: True for flag in FLAGS if vars(given)[flag]}
    values |= {"options": options} if options else {}
    added = _check(project, given.name, values)
    check_installed(added.scheme)

    def change(text: str) -> str:
        # only now: another command may have added it meanwhile
        if added.name in config.load(project.root).remotes:
            raise ConfigError(
                f"remote '{added.name}' is there already", hint=f"'acc remote show {added.name}' shows it"
            )
        return with_table(text, (TABLE, added.name), values)

    _change(project, change)
    term.line(f"added {added.name}: {added.url}")
    return 0


def _check(project: config.Config, name: str, values: Mapping[str, object]) -> Remote:
    """Return the remote that the values would be; raise `ConfigError` when they make none."""
    path = project.root / config.FILE_NAME
    check_name(Place(path, "", secretive=True, typed=True), name)
    return read_remote(Place(path, "", secretive=True, typed=True), name, dict(values))


def _from_root(url: str, root: Path) -> str:
    """Return a URL, or a folder that was named in the current folder, as acc.toml in `root` names it."""
    if not url.strip() or not is_relative_folder(url) or Path.cwd() == root:
        return url
    return os.path.relpath(Path.cwd() / url, root)


def read_options(parser: Parser, words: Sequence[str]) -> dict[str, object]:
    """Return options by their names; leaves with code 2, and without repeating a word, when one is no KEY=VALUE."""
    options: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        *tables, name = key.split(".")
        if not (equals and name and all(tables)) or _SURROGATE.search(word):
            parser.error("--option takes KEY=VALUE, a text of UTF-8")
        inner: Any = options
        for table in tables:
            inner = inner.setdefault(table, {}) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or name in inner:
            parser.error(f"option '{key}' is given twice")
        inner[name] = _value(text)
    return options


def _value(text: str) -> object:
    """Return what a text is in TOML if that is a number, a truth value, a list, a table or in quotes; else the text."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = found.pop("value")
    is_one = not found and isinstance(value, bool | int | float | str | list | dict)
    return value if is_one else text


def _remove(arguments: Sequence[str]) -> int:
    parser = _Parser(
        "remote remove",
        "take a remote out of acc.toml; what lies there stays",
        prints="its name and its URL",
    )
    parser.add_argument("name", metavar="NAME", help="a remote of acc.toml")
    given = parser.parse(arguments)
    project = config.here()
    found = project.get_remote(given.name)

    def change(text: str) -> str:
        config.load(project.root).get_remote(found.name)
        return without_table(text, (TABLE, found.name))

    _change(project, change)
    term.line(f"removed {found.name}: {found.url}")
    return 0


def _change(project: config.Config, change: Callable[[str], str]) -> None:
    rewrite(project.root / config.FILE_NAME, project.data / "locks" / config.FILE_NAME, change)


_ACTIONS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "add": _add,
    "list": _list_named,
    "remove": _remove,
    "show": _show,
}
