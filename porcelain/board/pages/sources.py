"""The code that a job ran: all files, what changed since an earlier job, each file as it is, all in one archive."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from cas.errors import AccError, UnsafeName
from cas.files import check_name
from jobs.errors import NoSuchFile
from jobs.nodes.listing import JobRow
from jobs.nodes.run import MICROSECONDS
from jobs.nodes.source import Source
from porcelain import term
from porcelain.board.drawing.code import Code, differing, numbered
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.views import job_views, sources
from porcelain.views.plain import View

# Pygments marks up some 600 kB a second; the files behind these are fetched when they are scrolled to
_SHOWN_BYTES: Final = 24 << 10
_LISTED_FILES: Final = 100
_FILE_BYTES: Final = 2 << 20
_ARCHIVE_BYTES: Final = 64 << 20
_ATTACHED: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def source(project: ShownProject, asked: Asked) -> Page:
    """Show the code that a job ran, and what changed in it."""
    resolver = project.resolver
    row = resolver.job(asked.names["spec"])
    node = sources.get_source(resolver, row)
    paths = sources.in_order(node)
    slot = Slot(asked.number("page", 1), _LISTED_FILES, len(paths))
    view = job_views.row(row) | {"main": node.main, "against": None, **slot.to_view()}
    if path := asked.text("file"):
        number = _get_number(row, paths, path)
        file = _file(project, node, path)
        view |= {"files": [file]}
        return Page("job_source_file.html", path, view, {"code": _code(file, number), "number": number})
    before = _against(project, row, asked.text("against"))
    if before is not None:
        view["against"] = sources.changes(resolver, before, row)
    view["files"] = [_file(project, node, path) for path in paths[slot.start : slot.start + slot.size]]
    drawn = {
        "codes": _codes(view["files"], slot.start),
        "slot": slot,
        "diffs": [
            differing(each["diff"]) if each["diff"] else None
            for each in (view["against"] or {}).get("files", ())
        ],
    }
    return Page("job_source.html", f"{row.label} source", view, drawn)


def file(project: ShownProject, asked: Asked) -> Response:
    """Hand out one file of the code of a job, as it is."""
    resolver = project.resolver
    row = resolver.job(asked.names["spec"])
    node = sources.get_source(resolver, row)
    path = asked.names["path"]
    _get_number(row, list(node.files), path)
    data = project.store.get(node.files[path])
    return Response(data, media_type="text/plain; charset=utf-8", headers=_ATTACHED)


def archive(project: ShownProject, asked: Asked) -> Response:
    """Hand out the code of a job as a .tar.gz, always of the same bytes."""
    resolver = project.resolver
    row = resolver.job(asked.names["spec"])
    node = sources.get_source(resolver, row)
    if sum(map(project.store.size_of, node.files.values())) > _ARCHIVE_BYTES:
        raise NoSuchFile(
            f"the source of job '{row.label}' is too large to be packed",
            hint=f"'acc job -s {row.label}' prints it",
        )
    name = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "_" for each in row.label)
    files = {path: project.store.get(node.files[path]) for path in sorted(node.files)}
    return Response(
        pack(name, files, row.ended // MICROSECONDS),
        media_type="application/gzip",
        headers=_ATTACHED | {"Content-Disposition": f'attachment; filename="{name}-source.tar.gz"'},
    )


def pack(folder: str, files: Mapping[str, bytes], seconds: int) -> bytes:
    """Return files as a .tar.gz in a folder of its own; raise `UnsafeName` for a name that would leave it.

    Parameters
    ----------
    seconds
        What the files are said to have been changed at, since 1970 (UTC).
    """
    packed = io.BytesIO()
    # nothing of now, nor of here
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{folder}/{_safe(path)}")
            entry.size, entry.mtime, entry.mode = len(data), seconds, 0o644
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _safe(path: str) -> str:
    if "\\" in path or ":" in path:
        raise UnsafeName(f"name '{term.printable(path)}' would leave its folder on some systems")
    return check_name(path)


def _get_number(row: JobRow, paths: list[str], path: str) -> int:
    if path not in paths:
        raise NoSuchFile(f"the source of job '{row.label}' has no file '{term.printable(path)}'")
    return paths.index(path) + 1


def _file(project: ShownProject, node: Source, path: str) -> View:
    """Return one file; its text is None when it is too long or cannot be read."""
    blob = node.files[path]
    view: View = {"path": path, "blob": blob, "bytes": None, "text": None, "problem": None}
    try:
        view["bytes"] = project.store.size_of(blob)
        if view["bytes"] > _FILE_BYTES:
            view["problem"] = "too long to be shown"
        else:
            view["text"] = project.store.get(blob).decode("utf-8", "replace")
    except AccError as err:
        view["problem"] = str(err)
    return view


def _code(file: View, number: int) -> Code | None:
    if file["text"] is None:
        return None
    return numbered(file["text"], file["path"], f"file{number}-L")


def _codes(files: list[View], before: int) -> list[Code | None]:
    """Return the first files as HTML; the others are fetched one by one."""
    codes, room = list[Code | None](), _SHOWN_BYTES
    for number, each in enumerate(files, before + 1):
        room -= each["bytes"] or 0
        codes.append(_code(each, number) if room > 0 else None)
    return codes


def _against(project: ShownProject, row: JobRow, spec: str) -> JobRow | None:
    return project.resolver.job(spec) if spec else sources.find_version_before(project.resolver, row)
