"""`acc.toml` as a text: tables come and go, and all else in it stays, byte for byte."""

import json
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cas.files import lock_file, write_atomically
from porcelain.settings.place import ConfigError

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DELETE: Final = "\x7f"  # the one control character that JSON has as it is, and TOML has not


def rewrite(path: Path, lock: Path, change: Callable[[str], str]) -> None:
    """Replace the text of the file at `path` by what `change` makes of it; whoever reads it sees one or the other.

    Parameters
    ----------
    path
        It keeps its permissions; when it is a link, what it points to is replaced.
    lock
        A file that is locked meanwhile, so that of two changes neither is lost; made when it is missing.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock_file(lock):
            target = path.resolve()
            mode = stat.S_IMODE(target.stat().st_mode)
            write_atomically(target, change(target.read_bytes().decode()).encode(), mode=mode)
            if stat.S_IMODE(target.stat().st_mode) != mode:
                # the umask took something away
                target.chmod(mode)
    except OSError as err:
        raise ConfigError(f"cannot write '{path}': {(err.strerror or str(err)).lower()}") from err


def with_table(text: str, names: Sequence[str], values: Mapping[str, object]) -> str:
    """Return the text of a TOML file with one more table, at its end.

    Parameters
    ----------
    names
        What the table is called, with the tables that it is in; it is not there yet.
    values
        Texts, numbers, truth values, lists of these; a table in it becomes one of its own, deeper ones go on one line.

    Raises
    ------
    ConfigError
        When tables around it are written in such a way that none can be added at the end.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    wanted = tomllib.loads(text)
    inner = wanted
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
    inner[names[-1]] = dict(values)
    added = newline.join(_lines(names, values))
    start = text if not text or text.endswith("\n") else text + newline
    return _checked(start + (newline if start else "") + added + newline, wanted, names, "added")


def without_table(text: str, names: Sequence[str]) -> str:
    """Return the text of a TOML file without a table, and those in it.

    Comments above the table and behind its last value stay, those between its lines go.

    Raises
    ------
    ConfigError
        When the table is written in another way than under a header `[...]`.
    """
    wanted = tomllib.loads(text)
    inner = wanted
    for name in names[:-1]:
        inner = inner[name]
    del inner[names[-1]]
    # not splitlines, which ends a line also where TOML goes on in it
    lines = _LINE.findall(text)
    headers = [(at, header) for at in range(len(lines)) if (header := _find_header(lines, at)) is not None]
    kept = list(lines)
    # backwards, so that numbers of lines stay what they are
    for (start, header), (end, _) in reversed(list(pairwise([*headers, (len(lines), [])]))):
        if header[: len(names)] == list(names):
            last = _end_of_values(lines, start, end)
            stands_alone = (
                start and _is_blank(lines[start - 1]) and (last == len(lines) or _is_blank(lines[last]))
            )
            del kept[start - bool(stands_alone) : last]
    return _checked("".join(kept), wanted, names, "taken out")


def _checked(text: str, wanted: Mapping[str, Any], names: Sequence[str], done: str) -> str:
    """Return the text of a TOML file if it says what is wanted."""
    try:
        is_right = _image(tomllib.loads(text), names) == _image(wanted, names)
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        header = ".".join(map(_key, names))
        raise ConfigError(
            f"table [{header}] cannot be {done}, as acc.toml is written",
            hint=f"edit it by hand, or write what is there of '{names[0]}' under headers such as [{header}]",
        )
    return text


def _image(tables: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return a text that tells tables from others, in any order; the first of `names` may be there empty or not."""
    filled = {key: value for key, value in tables.items() if key != names[0] or value}
    # not the tables themselves: nan is not equal to itself, and 1 and true are equal
    return json.dumps(filled, sort_keys=True, default=repr)


def _find_header(lines: Sequence[str], at: int) -> list[str] | None:
    """Return the names in the header of a table that is in a line, or None when it is none."""
    if not lines[at].lstrip(" \t").startswith("[") or not _is_whole(lines[:at]):
        return None
    found: Any = tomllib.loads(lines[at])
    names = []
    while isinstance(found, list | dict) and found:
        if isinstance(found, list):
            found = found[0]
        else:
            name, found = next(iter(found.items()))
            names.append(name)
    return names


def _end_of_values(lines: Sequence[str], start: int, end: int) -> int:
    """Return the number of the line behind the last value of a table, which `end` is the first line behind."""
    while end > start + 1:
        last = lines[end - 1].strip()
        if last and not (last.startswith("#") and _is_whole(lines[: end - 1])):
            break
        end -= 1
    return end


def _is_whole(lines: Sequence[str]) -> bool:
    """Return whether no text and no list goes on behind the first lines of a TOML file."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _is_blank(line: str) -> bool:
    return not line.strip()


def _lines(names: Sequence[str], values: Mapping[str, object]) -> list[str]:
    lines = [f"[{'.'.join(map(_key, names))}]"]
    tables = {name: value for name, value in values.items() if isinstance(value, dict)}
    lines += [f"{_key(name)} = {to_toml(value)}" for name, value in values.items() if name not in tables]
    for name, value in tables.items():
        lines += ["", f"[{'.'.join(map(_key, [*names, name]))}]"]
        lines += [f"{_key(key)} = {to_toml(inner)}" for key, inner in value.items()]
    return lines


def to_toml(value: object) -> str:
    """Return a value as TOML has it.

    >>> to_toml({"verify": False, "ports": [1, 2]})
    '{ verify = false, ports = [1, 2] }'
    """
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {to_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
    return str(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else to_toml(name)
