"""The code that ran, and what differs from that of another job, as plain dicts."""

from typing import Final

from cas.errors import AccError
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.nodes.listing import JobRow
from jobs.nodes.source import Source
from jobs.reuse.difference import text_diff
from porcelain.spec import Resolver
from porcelain.views import job_views
from porcelain.views.plain import View, moment

# difflib takes longer than anybody waits for longer files
_DIFF_BYTES: Final = 200 << 10
_LOOKED_AT: Final = 50


def get_source(resolver: Resolver, row: JobRow) -> Source:
    """Return the source node of a job."""
    return get_node(resolver.store, resolver.run(row).source, Source)


def in_order(source: Source) -> list[str]:
    """Return the paths of a source: the method file comes first."""
    return sorted(source.files, key=lambda path: (path != source.main, path))


def find_version_before(resolver: Resolver, row: JobRow) -> JobRow | None:
    """Return the newest job of the same method before `row` that had another source, if it is near; else None."""
    source = resolver.run(row).source
    for other in job_views.index_of(resolver, row).neighbours(row, later=False, limit=_LOOKED_AT):
        try:
            if resolver.run(other).source != source:
                return other
        except AccError:  # its node is damaged: it tells nothing
            continue
    return None


def changes(resolver: Resolver, before: JobRow, after: JobRow) -> View:
    """Return which files of the source of a job are other ones than those of another job, with a diff of each."""
    old, new = get_source(resolver, before), get_source(resolver, after)
    return {
        "job": before.label,
        "method": before.method,
        "ended": moment(before.ended),
        "files": [
            _change(resolver, path, (old.files.get(path), new.files.get(path)), (before.label, after.label))
            for path in sorted({*old.files, *new.files}, key=lambda path: (path != new.main, path))
            if old.files.get(path) != new.files.get(path)
        ],
    }


def _change(
    resolver: Resolver, path: str, blobs: tuple[ObjectId | None, ObjectId | None], labels: tuple[str, str]
) -> View:
    view: View = {
        "path": path,
        "what": "changed" if all(blobs) else "gone" if blobs[0] else "new",
        "diff": [],
        "problem": None,
    }
    try:
        sizes = [resolver.store.size_of(blob) if blob else 0 for blob in blobs]
        if max(sizes) > _DIFF_BYTES:
            view["problem"] = "too long to be compared line by line"
            return view
        texts = [resolver.store.get(blob).decode("utf-8", "replace") if blob else "" for blob in blobs]
    except AccError as err:
        view["problem"] = str(err)
    else:
        names = f"{labels[0]}: {path}", f"{labels[1]}: {path}"
        view["diff"] = text_diff(texts[0], texts[1], names)
    return view
