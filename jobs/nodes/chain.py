"""Walk `previous` of anything that has one."""

from collections.abc import Callable
from typing import TypeVar

Link = TypeVar("Link")


def walk_back(
    newest: Link, previous: Callable[[Link], Link | None], *, length: int = -1, stop: object = None
) -> list[Link]:
    """Return the chain that ends in `newest`, oldest first.

    Parameters
    ----------
    newest
        The last link, which is part of the chain.
    previous
        Gives the link before one, or None at the first.
    length
        At most so many links, counted from `newest`; negative is no limit.
    stop
        The chain ends before this link.
    """
    links: list[Link] = []
    link: Link | None = newest
    while link is not None and link != stop and len(links) != length:
        links.append(link)
        link = previous(link)
    links.reverse()
    return links
