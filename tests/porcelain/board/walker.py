"""Who follows the links of a board, as a person would, and as a program."""

from collections import Counter, defaultdict
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from tests.porcelain.board.boards import JSON, RunningBoard

# so many pages of a kind are looked at: jobs are many, and alike
OF_A_KIND = 2
_IS_NO_PAGE = ("/raw/", "/csv/", "/static/", "/watch")
_PARTS = ("graph", "source", "output", "users", "shared", "why")


class _Links(HTMLParser):
    """Collects what a page leads to, and the parts that it fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [
            given[name] or "" for name in ("href", "data-load") if tag != "link" and given.get(name)
        ]


def kind_of(path: str) -> str:
    """Return the kind of a page: what its address begins and ends with, and which parameters it has."""
    where = urlsplit(path)
    parts = where.path.strip("/").split("/")
    last = parts[-1] if len(parts) > 2 and parts[-1] in _PARTS else ""
    names = sorted(pair.partition("=")[0] for pair in where.query.split("&") if pair)
    return "/".join([parts[0], last, *names])


def walk(board: RunningBoard, *starts: str) -> dict[str, list[str]]:
    """Return the addresses of all pages that can be reached from some, a few of each kind.

    Each must be there, as HTML and as JSON. What leads to a download, or elsewhere, is no page.
    """
    by_kind, met = defaultdict[str, list[str]](list), Counter(map(kind_of, starts))
    waiting, seen = [*starts], {*starts}
    while waiting:
        path = waiting.pop(0)
        answer = board.ask(path)
        assert answer.status == 200, (path, answer.status, answer.text[-800:])
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        by_kind[kind_of(path)].append(path)
        assert board.ask(path, JSON).json is not None, path
        for link in links_of(answer.text, path):
            kind = kind_of(link)
            if link not in seen and met[kind] < OF_A_KIND:
                seen.add(link)
                met[kind] += 1
                waiting.append(link)
    return by_kind


def links_of(text: str, path: str) -> list[str]:
    """Return the pages of the board that a page leads to."""
    links = _Links()
    links.feed(text)
    joined = (urljoin(path, urldefrag(link)[0]) for link in links.found)
    return [link for link in joined if link.startswith("/") and not link.startswith(_IS_NO_PAGE)]
