"""Files of jobs: what is in one, its bytes, and what else has the same."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Final, NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from cas.errors import AccError
from cas.oid import ObjectId, is_oid
from jobs.errors import NoSuchFile
from jobs.nodes.listing import JobRow
from porcelain import stamp
from porcelain.board.content import sending, shown
from porcelain.board.content.kinds import Kind
from porcelain.board.content.sending import Sent
from porcelain.board.drawing import code
from porcelain.board.drawing.names import typed
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.board.using import holders_of, results_of
from porcelain.spec import Resolver
from porcelain.views import result_views
from porcelain.views.plain import View, moment

_PAGE_HOLDERS: Final = 100


class _File(NamedTuple):
    """What an address names: a file of a job, or a blob by its id, which has no job."""

    spec: str
    name: str
    blob: ObjectId
    row: JobRow | None


def file(project: ShownProject, asked: Asked) -> Page:
    """Show a file by what it is."""
    found = _find(project.resolver, asked.names)
    at = asked.number("at", 0, least=0)
    row = asked.number("row", 1)
    where = result_views.where_is(project.resolver, found.blob)
    view: View = {
        "spec": found.spec,
        "name": found.name,
        "job": found.row and found.row.label,
        "method": found.row and found.row.method,
        "blob": found.blob,
        "content": where,
        "at": at,
        "row": row,
        "size": None,
        "shown": None,
        "problem": None,
        "commands": _commands(found),
    }
    if where == result_views.STORED or (where == result_views.PROMISED and asked.text("fetch")):
        try:
            view |= {
                "content": result_views.STORED,
                "size": project.store.size_of(found.blob),
                "shown": shown.part(project.store, found.blob, found.name, at),
            }
        except AccError as err:
            # what is damaged is still named, and who else has it can be looked for
            view["problem"] = str(err)
    return Page("file.html", f"{found.name} of {found.spec}", view, drawn={"code": _code(found.name, view)})


def raw(project: ShownProject, asked: Asked) -> Response:
    """Answer with the bytes of a file: to be shown by a browser if that does no harm, or to be kept."""
    found = _find(project.resolver, asked.names)
    store = project.store
    kind = shown.find_kind(store, found.blob, found.name)
    sent = Sent(found.blob, found.name, store.size_of(found.blob), kind.media_type)
    if (
        asked.text("framed")
        and kind.word == "html"
        and asked.headers.get("sec-fetch-dest") in (None, "iframe")
    ):
        sent = replace(sent, media_type=sending.HTML)
    if asked.text("download"):
        placed = None if asked.text("plain") else _stamp(project, found, kind)
        sent = replace(sent, media_type="")
        if placed is not None:
            sent = replace(sent, put_in=placed.data, place=placed.start)
    return sending.send(store, sent, asked.headers, only_head=asked.only_head)


def holders(project: ShownProject, asked: Asked) -> Page:
    """Show which jobs and result links have a blob."""
    blob = asked.names["blob"]
    if not is_oid(blob):
        raise NoSuchFile(f"'{blob}' is no object id")
    oid, number = ObjectId(blob), asked.number("page", 1)
    found = holders_of(project, oid, (number - 1) * _PAGE_HOLDERS, _PAGE_HOLDERS)
    slot = Slot(number, _PAGE_HOLDERS, found.total)
    view = {
        "blob": oid,
        "jobs": [holder.to_view() for holder in found.holders],
        **slot.to_view(),
        "results": results_of(project, oid),
    }
    return Page("holders.html", f"what has {blob[:12]}", view, {"slot": slot})


def _find(resolver: Resolver, names: Mapping[str, str]) -> _File:
    """Return what a spec and a name stand for; a spec of a blob, as "@3f9a...", stands for that under any name."""
    spec, name = names["spec"], names["name"]
    target = resolver.resolve(spec)
    if target.kind == "object" and target.oid is not None:
        return _File(spec, name, target.oid, None)
    row = target.row
    if row is None or target.kind != "job":
        raise NoSuchFile(f"'{spec}' is no job")
    files = resolver.outcome(row).files
    if name not in files:
        raise NoSuchFile(f"job '{row.label}' has no file '{name}'", hint=f"'acc job {row.label}' lists them")
    return _File(row.label, name, files[name].blob, row)


def _stamp(project: ShownProject, found: _File, kind: Kind) -> stamp.Placed | None:
    """Return the stamp of a picture that leaves; None for what takes none."""
    if found.row is None or kind.word != "picture":
        return None
    said = stamp.Stamp(
        job=found.row.label,
        method=found.row.method,
        run=found.row.run,
        blob=found.blob,
        file=found.name,
        when=moment(found.row.ended),
        acc=version("acc"),
    )
    with project.store.open(found.blob) as stream:
        return stamp.place(said, stream.read(stamp.HEAD_BYTES))


def _code(name: str, view: View) -> Markup | None:
    text = view["shown"] and view["shown"]["text"]
    return code.numbered(text, name).html if text else None


def _commands(found: _File) -> list[str]:
    if found.row is None:
        return [f"acc cat-file -p {found.blob} > {typed(found.name.rpartition('/')[2])}"]
    spec = typed(f"{found.spec}:{found.name}")
    return [
        f"acc show {spec} > {typed(found.name.rpartition('/')[2])}",
        f"acc checkout {spec}",
        f"acc link {spec}",
    ]
