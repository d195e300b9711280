"""Why jobs run or are reused, as plain dicts: what `acc why` prints, and what `why_build=True` gives."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from cas.errors import AccError
from cas.store import Store
from jobs.explain import Explainer, Explanation, Told
from jobs.nodes.listing import JobRow
from jobs.nodes.references import walk_references
from jobs.reuse.changes import ABSENT
from jobs.reuse.difference import Difference, Reference, Side
from jobs.reuse.hit import CheckedFact
from jobs.reuse.key import KeyParts
from jobs.reuse.why import Nearest
from porcelain.views.differences import Sides, difference
from porcelain.views.plain import View, moment

# by method and label what differs: by section and name, the earlier value
WhyBuild: TypeAlias = dict[str, dict[str, dict[str, dict[str, Any]]]]

NOW: Final = "now"
_SECTIONS: Final = {"option": "options", "dataset": "datasets", "job": "jobs"}


def of_job(store: Store, explainer: Explainer, row: JobRow, *, at_most: int) -> View:
    """Return why a job ran, what a build would do now, and what it was made from that would run again.

    Parameters
    ----------
    at_most
        Look at so many of the jobs that it was made from.
    """
    view: View = {
        "job": row.label,
        "method": row.method,
        "state": row.state,
        "earlier": row.earlier or None,
        "then": told(store, row, explainer.then(row)),
        "now": None,
        "error": None,
        "stale": [],
    }
    if row.outcome is not None:
        try:
            view["now"] = explanation(store, explainer.now(row))
        except AccError as err:
            view["error"] = str(err)
        view["stale"] = stale(explainer.find_stale(row, at_most=at_most))
    return view


def fate(view: View) -> str:
    """Return in one line what a build would do now with what a job was given, as `of_job` tells."""
    now = view["now"]
    if view["error"]:
        return f"would not run: {view['error']}"
    if now is None:
        return "would run again: a failed job is never reused"
    if not now["reuse"]:
        again = "" if now["origin"] else " again"
        return f"{without_a_job(now)}{again}: {now['reason']}"
    if now["reuse"] == view["job"]:
        return "would be reused"
    came_out = " came out as it, and" if view["earlier"] == now["reuse"] else ""
    return (
        f"'{now['reuse']}' would be reused in its place"
        if not came_out
        else (f"'{now['reuse']}' would be reused: this one came out as that")
    )


def without_a_job(view: View) -> str:
    """Return what a build would do when no job here can be reused."""
    return f"would be taken from remote '{view['origin']}'" if view["origin"] else "would run"


def explanation(store: Store, found: Explanation) -> View:
    """Return what a build would do now, and why."""
    hit, parts = found.hit, found.request.parts
    return {
        "method": parts.method,
        "key": found.request.key,
        "reuse": hit.row and hit.row.label,
        "ran": hit.ran and hit.ran.label,
        "equivalent": hit.equivalent,
        "reason": found.reason or None,
        "origin": found.origin or None,
        "parts": _parts(parts),
        "facts": [_fact(checked) for checked in found.facts],
        "nearest": found.nearest
        and _nearest(
            found.nearest,
            Sides(
                store,
                found.nearest.side,
                found.request.side(),
                (found.nearest.row.label, NOW),
                found.sizes,
            ),
        ),
        "unseen": list(found.unseen),
    }


def told(store: Store, row: JobRow, found: Told) -> View:
    """Return why a job ran when it did."""
    nearest = found.nearest
    return {
        "why": found.why,
        "nearest": _nearest(nearest, Sides(store, nearest.side, found.side, (nearest.row.label, row.label)))
        if nearest and found.side
        else None,
        "facts": [{"what": each.what, "before": each.before, "after": each.after} for each in found.facts],
    }


def stale(found: Sequence[tuple[JobRow, str]]) -> list[View]:
    """Return the jobs that would run again, each with the reason."""
    return [{"job": row.label, "method": row.method, "reason": reason} for row, reason in found]


def why_build(found: Explanation) -> WhyBuild:
    """Return the peer's answer: for the method, each job that could be had, and what differs in it by section.

    A job that would be reused has nothing that differs. The values are those of the earlier job.
    """
    answer: dict[str, dict[str, Any]] = {}
    if found.hit.row is not None:
        answer[found.hit.row.label] = {}
    elif found.nearest is not None:
        sections: dict[str, dict[str, Any]] = {}
        for each in found.nearest.differences:
            section = sections.setdefault(_SECTIONS.get(each.kind, each.kind), {})
            section[each.name] = _earlier_value(each, found.nearest.side)
        answer[found.nearest.row.label] = sections
    elif found.hit.ran is not None:
        broken = {what: fact.was for fact, what, answer in found.facts if answer.broken}
        answer[found.hit.ran.label] = {"facts": broken}
    return {found.request.parts.method: answer}


def _earlier_value(found: Difference, side: Side) -> Any:
    inputs = side.parts.inputs
    group = {"option": inputs.options, "dataset": inputs.datasets, "job": inputs.jobs}.get(found.kind)
    value = side.value(group[found.name]) if group and found.name in group else found.before
    return None if value is ABSENT else _plainer(value)


def _plainer(value: object) -> object:
    """Return a value with its jobs, datasets and files as texts."""
    if isinstance(value, Reference):
        return value.name if value.tag == "$input" else repr(value)
    if isinstance(value, list):
        return [_plainer(item) for item in value]
    if isinstance(value, dict):
        return {key: _plainer(item) for key, item in value.items()}
    return value


def _nearest(nearest: Nearest, sides: Sides) -> View:
    return {
        "job": nearest.row.label,
        "ended": moment(nearest.row.ended),
        "differences": [difference(sides, each) for each in nearest.differences],
    }


def _parts(parts: KeyParts) -> View:
    return {
        "method": parts.method,
        "source": parts.source,
        "version": parts.version,
        "options": len(parts.inputs.options),
        "inputs": sum(1 for _ in walk_references(parts.inputs.to_json())),
        "slices": parts.slices,
        "environment": dict(parts.environment),
    }


def _fact(checked: CheckedFact) -> View:
    fact, what, answer = checked
    return {**fact.to_json(), "now": answer.now, "what": what, "broken": answer.broken or None}
