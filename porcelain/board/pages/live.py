"""What goes on now: builds that run, how the last one ended, the last error."""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from jobs.nodes.build import DONE
from jobs.nodes.parts import ANALYSIS, part_in_words
from porcelain.board.drawing.ansi import to_html
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.board.pages.builds import newest_line
from porcelain.views.plain import View
from porcelain.watching.lookout import last_failure, running_builds

# more cells than these are too small to be told apart
_MOST_CELLS: Final = 400
_MOST_PARTS: Final = 50
_TRACEBACK_LINES: Final = 40


def live(project: ShownProject, asked: Asked) -> Page:
    """Show the builds that run, and what happened last; shown anew as it changes."""
    del asked
    builds = running_builds(project.config)
    view: View = {
        "builds": builds,
        "last_build": newest_line(project),
        "last_error": last_failure(project.resolver),
    }
    jobs = {(build["process"], job["label"]): job for build in builds for job in build["jobs"]}
    drawn = {
        "cells": {name: _cells(job) for name, job in jobs.items()},
        "parts": {name: _parts(job) for name, job in jobs.items()},
        "outputs": {name: _output(job["output"]) for name, job in jobs.items()},
        "error": _error(view["last_error"], _TRACEBACK_LINES),
        "done": DONE,
    }
    return Page("live.html", "Live", view, drawn, live=True)


def last_error(project: ShownProject, asked: Asked) -> Page:
    """Show the newest job that failed with its whole traceback, and the last build if that failed."""
    del asked
    view: View = {"last_build": newest_line(project), "last_error": last_failure(project.resolver)}
    drawn = {"error": _error(view["last_error"], None), "done": DONE}
    return Page("last_error.html", "Last error", view, drawn, live=True)


def _cells(job: View) -> list[str]:
    """Return for each slice of a job whether it is "waiting", "running" or "done"; nothing outside of analysis."""
    if job["stage"] != ANALYSIS or job["slices"] > _MOST_CELLS:
        return []
    running = {part["sliceno"] for part in job["parts"]}
    done = set(job["done_slices"])
    return [
        "done" if number in done else "running" if number in running else "waiting"
        for number in range(job["slices"])
    ]


def _parts(job: View) -> list[View]:
    """Return the stages and slices that say what they do."""
    return [part for part in job["parts"] if part["status"]][:_MOST_PARTS]


def _output(lines: Sequence[str]) -> Markup:
    """Return the last lines that a job printed, each with whose it is; a line obeys its own control characters only."""
    rows = []
    for line in lines:
        part, bar, text = line.partition(" | ")
        rows.append(Markup('<span class="whose">{}</span> {}').format(part, to_html(text if bar else line)))
    return Markup("\n").join(rows)


def _error(failed: View | None, most: int | None) -> Mapping[str, object]:
    """Return where a job failed, and its traceback: of a long one the last lines."""
    failure = failed and failed["failure"]
    if not failure:
        return {"where": "", "traceback": None, "left_out": 0}
    lines = (failure["traceback"] or "").rstrip("\n").split("\n")
    left_out = max(0, len(lines) - most) if most else 0
    return {
        "where": part_in_words(failure["stage"], failure["sliceno"]),
        "traceback": to_html("\n".join(lines[left_out:])),
        "left_out": left_out,
    }
