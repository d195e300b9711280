"""Pages as HTML: the templates, and what they can call."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from porcelain import term
from porcelain.board import addresses
from porcelain.board.drawing.names import in_order, value_text, visible
from porcelain.board.page import Asked, Page

FOLDER: Final = Path(__file__).parent
STATIC: Final = FOLDER / "static"
# as messages of a build that failed name a job
_NAMED_JOB: Final = re.compile(r"job '([\w-]+-[0-9]+)'", re.ASCII)


def to_html(page: Page, asked: Asked, project_name: str) -> str:
    """Return a page as a whole HTML document."""
    return (
        environment()
        .get_template(page.template)
        .render(page=page, view=page.view, asked=asked, project_name=project_name, **page.drawn)
    )


def prepare(give_way: Callable[[], None]) -> None:
    """Compile all templates, which else delays the first page of each kind by up to 50 ms.

    Parameters
    ----------
    give_way
        Called between them; returns when there is time for the next.
    """
    for name in environment().list_templates():
        give_way()
        environment().get_template(name)


@cache
def environment() -> Environment:
    """Return the templates; every text that they show is escaped, and what they name must be there."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals["url"] = addresses
    found.globals["static"] = _static
    found.filters.update(
        size=term.size,
        duration=term.duration,
        elapsed=elapsed,
        moment=term.moment,
        count=term.count,
        in_order=in_order,
        visible=visible,
        value=value_text,
        with_jobs=with_jobs,
        grouped=lambda number: f"{number:,}",
    )
    return found


def elapsed(seconds: float) -> str:
    """Return how long something runs already, in whole seconds: else it would be shown anew all the time.

    >>> elapsed(7.9), elapsed(75)
    ('7 s', '1:15')
    """
    return f"{int(seconds)} s" if seconds < 60 else term.duration(int(seconds))


def with_jobs(text: str) -> Markup:
    """Return a text in which the jobs that it names lead to their pages.

    >>> print(with_jobs("job 'dev-7' (a<b) failed"))
    job '<a href="/job/dev-7">dev-7</a>' (a&lt;b) failed
    """
    before, *found = _NAMED_JOB.split(text)
    parts = [escape(before)]
    for label, after in zip(found[::2], found[1::2], strict=True):
        parts.append(Markup("job '<a href=\"{}\">{}</a>'{}").format(addresses.job(label), label, after))
    return Markup("").join(parts)


@cache
def _static(name: str) -> str:
    """Return the address of a file in static/; another one when it is another file, so that browsers may keep it."""
    changed = (STATIC / name).stat().st_mtime_ns
    return f"/static/{name}?{changed:x}"
