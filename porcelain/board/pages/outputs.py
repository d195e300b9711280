"""What a job printed: all parts, each as far as there is room, and one part by pages."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from cas.errors import AccError
from cas.oid import ObjectId
from jobs.errors import NoSuchFile
from jobs.nodes.parts import is_slice, part_name
from jobs.nodes.run import Run
from porcelain import term
from porcelain.board.content.sending import Breaking
from porcelain.board.drawing.ansi import to_html
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.views import job_views, printed
from porcelain.views.plain import View

# as much as is drawn in some ten milliseconds
PAGE_BYTES: Final = 64 << 10
_PREVIEW_BYTES: Final = 16 << 10
_ALL_PREVIEWS_BYTES: Final = 64 << 10
_HEAD_SHARE: Final = 4
# more slices than these are put away together
_MOST_SLICES: Final = 8
_ATTACHED: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Previews(NamedTuple):
    """What a job printed, as far as there is room for it.

    Attributes
    ----------
    parts : list of View
        Each of its parts, in the order in which they ran.
    slices : list of View
        The slices, when they are many: these are only fetched when somebody opens them.
    """

    parts: list[View]
    slices: list[View]


def output(project: ShownProject, asked: Asked) -> Page:
    """Show what a job printed."""
    row = project.resolver.job(asked.names["spec"])
    run = project.resolver.run(row)
    view = job_views.row(row) | {"parts": printed.parts(project.store, run)}
    part, title = asked.text("part"), f"{row.label} output"
    if not part:
        shown_parts = previews(project, run, view["parts"], 4 * _ALL_PREVIEWS_BYTES)
        return Page("job_output.html", title, view, {"previews": shown_parts})
    shown = next((each for each in view["parts"] if each["part"] == part), None)
    if shown is None:
        raise NoSuchFile(f"job '{row.label}' printed nothing in '{term.printable(part)}'")
    number = asked.number("page", 1)
    blob = run.output[part]
    slot = Slot(number, PAGE_BYTES, project.store.size_of(blob))
    if number > slot.last:
        raise NoSuchFile(f"what it printed has no page {number}", hint=f"the last is {slot.last}")
    piece = printed.read_piece(project.store, blob, slot.start, slot.start + PAGE_BYTES)
    view |= {"part": part, "text": piece.text, "start": piece.start, "end": piece.end, **slot.to_view()}
    drawn = {"part": shown, "html": to_html(piece.text), "slot": slot}
    return Page("job_output_part.html", title, view, drawn)


def text(project: ShownProject, asked: Asked) -> Response:
    """Hand out what a job printed in one part, as it is."""
    row = project.resolver.job(asked.names["spec"])
    part = asked.names["part"]
    blob = project.resolver.run(row).output.get(part)
    if blob is None:
        raise NoSuchFile(f"job '{row.label}' printed nothing in '{term.printable(part)}'")
    size = project.store.size_of(blob)
    # what part is called was just found among the parts of a job, whose names anybody may have made up
    name = part if part.isascii() and part.isalnum() else "part"
    return Breaking(
        project.store.pieces(blob),
        media_type="text/plain; charset=utf-8",
        headers=_ATTACHED
        | {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="output-{name}.txt"'},
    )


def previews(
    project: ShownProject, run: Run, parts: Sequence[View], room: int = _ALL_PREVIEWS_BYTES
) -> Previews:
    """Return each part as HTML, as far as there is room for it, and without where there is none."""
    many = sum(is_slice(part["part"]) for part in parts) > _MOST_SLICES
    found: dict[str, View] = {}
    # what failed first, then the stages: whoever looks wants these
    for part in sorted(parts, key=lambda part: (not _has_failed(run, part), many and is_slice(part["part"]))):
        grouped = many and is_slice(part["part"]) and not _has_failed(run, part)
        shown = _filled(project, run, part, 0 if grouped else room)
        room -= min(part["bytes"] or 0, _PREVIEW_BYTES) if shown["html"] else 0
        found[part["part"]] = shown | {"open": not many or not is_slice(part["part"]), "grouped": grouped}
    ordered = [found[part["part"]] for part in parts]
    return Previews(
        [each for each in ordered if not each["grouped"]], [each for each in ordered if each["grouped"]]
    )


def _has_failed(run: Run, part: View) -> bool:
    failure = run.failure
    return failure is not None and part["part"] == part_name(failure.stage, failure.sliceno)


def _filled(project: ShownProject, run: Run, part: View, room: int) -> View:
    """Return a part with what is shown of it."""
    found: View = {**part, "html": None, "left_out": 0, "problem": None}
    if part["bytes"] is None:
        found["problem"] = "it cannot be read"
    elif part["here"] and room > 0:
        try:
            found["html"], found["left_out"] = _preview(project, run.output[part["part"]], part["bytes"])
        except AccError as err:
            found["problem"] = str(err)
    return found


def _preview(project: ShownProject, blob: ObjectId, size: int) -> tuple[Any, int]:
    """Return the begin and the end of what was printed as HTML, and how many bytes between them are left out."""
    if size <= _PREVIEW_BYTES:
        return [to_html(printed.read_piece(project.store, blob, 0, size).text)], 0
    head = printed.read_piece(project.store, blob, 0, _PREVIEW_BYTES // _HEAD_SHARE)
    tail = printed.read_piece(
        project.store, blob, size - _PREVIEW_BYTES + _PREVIEW_BYTES // _HEAD_SHARE, size
    )
    return [to_html(head.text), to_html(tail.text)], max(0, tail.start - head.end)
