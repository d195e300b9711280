"""The store: what it takes, what that would be otherwise, how it grew, and how it is looked after."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import Final

from cas.errors import AccError
from cas.local.census import Tally
from cas.url import without_secrets
from porcelain import carelog
from porcelain.board.catalogue.census import Stored
from porcelain.board.catalogue.sizes import Day, Total
from porcelain.board.drawing.growth import Point, draw_growth
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.board.pages.jobs import job_lines
from porcelain.config import Config
from porcelain.sharing.looking import looked_at
from porcelain.storage import open_remote
from porcelain.views import remote_views
from porcelain.views.plain import View, moment

_BIGGEST: Final = 15
_MICROSECONDS: Final = 1_000_000
# what somebody claims to have built in another century would leave the rest no room
_MOST_DAYS: Final = 36_500
_DAY: Final = 86_400
# a note without it is none of ours
_TELLING: Final[Mapping[carelog.Care, str]] = {"fsck": "sound", "gc": "dead-bytes"}


def store(project: ShownProject, asked: Asked) -> Page:
    """Show what the store takes, and what is known of how it is."""
    del asked
    project.catalogue.catch_up()
    sizes, progress = project.catalogue.sizes, project.catalogue.progress()
    points = [*_growth(sizes.days())]
    view = {
        "store": _stored(project.catalogue.stored()),
        "saved": _saved(sizes.total()),
        "growth": [
            {
                "day": moment(point.day * _MICROSECONDS)[:10],
                "raw_bytes": point.raw_bytes,
                "stored_bytes": point.stored_bytes,
            }
            for point in points
        ],
        "biggest": [*job_lines(project, sizes.biggest(_BIGGEST))],
        "remotes": [*_remotes(project.config)],
        "fsck": _care(project.config, "fsck"),
        "gc": _care(project.config, "gc"),
        "read": progress.read,
        "listed": progress.listed,
    }
    return Page("store.html", "Store", view, {"growth": draw_growth(points), "progress": progress}, live=True)


def _stored(stored: Stored) -> View | None:
    """Return what `acc count-objects -v` counts, as of the last look; None before the first."""
    if not stored.is_known:
        return None
    packed, loose = stored.packed, stored.loose
    return {
        "objects": packed.objects + loose.objects,
        "raw_bytes": packed.raw_bytes + loose.raw_bytes,
        "stored_bytes": packed.stored_bytes + loose.stored_bytes,
        "packs": stored.packs,
        "packed": _tally(packed),
        "loose": _tally(loose),
        "trash": {"files": stored.trash, "bytes": stored.trash_bytes},
    }


def _tally(tally: Tally) -> View:
    return tally._asdict()


def _saved(total: Total) -> View:
    """Return what all jobs hold: each for itself, each object once, and as that is stored."""
    return {
        "objects": total.objects,
        "held_bytes": total.held.raw_bytes,
        "once_bytes": total.once.raw_bytes,
        "stored_bytes": total.once.stored_bytes,
        "by_deduplication": total.held.raw_bytes - total.once.raw_bytes,
        "by_compression": total.once.raw_bytes - total.once.stored_bytes,
    }


def _growth(days: list[Day]) -> Iterator[Point]:
    latest = days[-1].start if days else 0
    raw = accumulate(day.new.raw_bytes for day in days)
    stored = accumulate(day.new.stored_bytes for day in days)
    for day, raw_bytes, stored_bytes in zip(days, raw, stored, strict=True):
        if latest - day.start <= _MOST_DAYS * _DAY and 0 <= day.start <= _MOST_DAYS * _DAY:
            yield Point(day.start, raw_bytes, stored_bytes)


def _remotes(config: Config) -> Iterator[View]:
    """Yield the remotes, and what is known of them without asking any."""
    for remote in config.remotes.values():
        looked, packs = None, {}
        with suppress(AccError, OSError):  # what was known of it is damaged: the next look makes it anew
            there = open_remote(config, remote.name)
            looked = looked_at(there)
            packs = there.mirror.packs()
            there.mirror.close()
        shown = remote_views.remote_view(remote)
        del shown["options"]
        yield shown | {
            "url": without_secrets(remote.url),
            "looked": None if looked is None else moment(int(looked * _MICROSECONDS)),
            "packs": len(packs),
            "packed_bytes": sum(packs.values()),
        }


def _care(config: Config, care: carelog.Care) -> View | None:
    noted = carelog.find_note(config.data, care)
    if noted is None or not 0 <= noted.ended <= _MOST_DAYS * _DAY or _TELLING[care] not in noted.found:
        return None
    return {"ended": moment(int(noted.ended * _MICROSECONDS)), **noted.found}
