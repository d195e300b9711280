"""What a page shows of a file: its beginning, or a part of it, in the way that suits what it is."""

import json
from functools import lru_cache
from typing import BinaryIO, Final

from cas.local.store import LocalStore
from cas.oid import ObjectId
from porcelain.board.content import binaries, tables, texts
from porcelain.board.content.kinds import HEAD_BYTES, Kind, kind_of
from porcelain.views.plain import View

PAGE_ROWS: Final = 200
_BRIEF_ROWS: Final = 8
_BRIEF_BYTES: Final = 2_000
# of JSON a part is no JSON: what is longer is shown as text
_JSON_BYTES: Final = 1 << 20
_KEPT: Final = 512
_NOTHING: Final[View] = dict.fromkeys(("table", "text", "next", "dump", "classes", "array"))


def find_kind(store: LocalStore, blob: ObjectId, name: str) -> Kind:
    """Return what a file is."""
    return _kind(store, blob, name)


@lru_cache(maxsize=4 * _KEPT)
def _kind(store: LocalStore, blob: ObjectId, name: str) -> Kind:
    with store.open(blob) as stream:
        return kind_of(name, stream.read(HEAD_BYTES), store.size_of(blob))


@lru_cache(maxsize=_KEPT)
def brief(store: LocalStore, blob: ObjectId, name: str) -> View:
    """Return the beginning of a file: a few rows or lines. It is kept, as the content of a blob never changes."""
    kind = _kind(store, blob, name)
    with store.open(blob) as stream:
        return _shown(stream, kind, name, 0, _BRIEF_ROWS)


def part(store: LocalStore, blob: ObjectId, name: str, at: int) -> View:
    """Return a page of a file, from the byte `at` on: rows of a table, or lines of a text."""
    kind = _kind(store, blob, name)
    with store.open(blob) as stream:
        return _shown(stream, kind, name, at, PAGE_ROWS)


def _shown(stream: BinaryIO, kind: Kind, name: str, at: int, count: int) -> View:
    """Return what is shown: `table` or `text` where there is such, and where what follows begins."""
    shown: View = {"kind": kind.word, "about": kind.about} | _NOTHING
    if kind.word == "table":
        rows = _rows(stream, name, at, count)
        shown |= {"table": rows.to_view(), "next": rows.next} if rows else _text(stream, at, count)
    elif kind.word == "json":
        shown |= (_json(stream, count) if not at else None) or _text(stream, at, count)
    elif kind.word in ("text", "html") or kind.about.startswith("SVG"):
        shown |= _text(stream, at, count)
    elif kind.word in ("pickle", "binary"):
        shown |= _binary(stream, kind)
    return shown


def _rows(stream: BinaryIO, name: str, at: int, count: int) -> tables.Rows | None:
    suffix = name.rpartition(".")[2].lower()
    if suffix in ("csv", "tsv"):
        return tables.read_csv(stream, at, count, tabs=suffix == "tsv")
    return tables.read_json_lines(stream, at, count)


def _json(stream: BinaryIO, count: int) -> View | None:
    """Return JSON set out in lines, and if it is a list of mappings as a table too; None when it is none."""
    data = stream.read(_JSON_BYTES + 1)
    text = data.decode("utf-8", "replace")
    set_out = texts.set_out(text) if len(data) <= _JSON_BYTES else None
    if set_out is None:
        return None
    value = json.loads(text)
    is_table = isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
    lines = set_out if count == PAGE_ROWS else _first_lines(set_out)
    return {"text": lines, "table": tables.of_values(value[:count]).to_view() if is_table else None}


def _text(stream: BinaryIO, at: int, count: int) -> View:
    if count == PAGE_ROWS:
        found = texts.read_part(stream, at)
        return {"text": found.text, "next": found.next}
    return {"text": _first_lines(texts.read_part(stream, 0, _BRIEF_BYTES).text)}


def _first_lines(text: str) -> str:
    return text[:_BRIEF_BYTES]


def _binary(stream: BinaryIO, kind: Kind) -> View:
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    said: View = {"dump": binaries.dump(head[: binaries.DUMPED_BYTES])}
    if kind.word == "pickle":
        said["classes"] = binaries.classes_in_pickle(head)
    elif kind.about == "NumPy array":
        said["array"] = binaries.array_in_numpy(head)
    return said
