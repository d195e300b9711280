"""The picture of a graph as a file that stands by itself: with its colours, light and dark, and its legend."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import Response

from porcelain.board.graph.marks import shown
from porcelain.board.graph.picture import Picture

_STATIC: Final = Path(__file__).parents[1] / "static"
_LINE: Final = 24.0
_LEAST_WIDTH: Final = 340.0
_FILE_NAME: Final = re.compile(r"[^\w.-]+", re.ASCII)


def to_file(picture: Picture, name: str) -> Response:
    """Return a picture as the download `name`, a text of which only letters, digits and `._-` are kept."""
    kept = _FILE_NAME.sub("-", name).strip("-.") or "graph"
    return Response(
        standalone(picture),
        media_type="image/svg+xml",
        headers={
            "Content-Disposition": f'attachment; filename="{kept}.svg"',
            # its own style and nothing else, whatever somebody has managed to write into a caption
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_digest()}'; sandbox",
        },
    )


def standalone(picture: Picture) -> str:
    """Return a picture as an SVG document."""
    rows = [*picture.signs, *([("root", "", "what the graph is about")] if picture.is_marked else [])]
    width = max(picture.width, _LEAST_WIDTH)
    height = picture.height + _LINE * (len(rows) + 1)
    legend = "".join(_row(*row, picture.height + _LINE * place) for place, row in enumerate(rows, 1))
    return (
        f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"><title>{shown(picture.label)}</title>'
        f"<style>{style()}</style>"
        f'<rect class="paper" width="100%" height="100%"/>'
        f'<text class="headline" x="28" y="{picture.height:.0f}">{shown(picture.label)}</text>'
        f"{picture.body}{legend}</svg>\n"
    )


def _row(kind: str, sign: str, words: str, y: float) -> str:
    box = f'<rect class="box" x="28" y="{y - 13:.0f}" width="26" height="18" rx="5"/>'
    mark = f'<text class="sign {kind}" x="41" y="{y:.0f}" text-anchor="middle">{sign}</text>'
    return (
        f'<g class="node {kind}">{box}{mark}</g><text class="line" x="64" y="{y:.0f}">{shown(words)}</text>'
    )


@cache
def style() -> str:
    """Return the style of pictures with its colours written out, as programs other than browsers need them."""
    rules = re.sub(r"/\*.*?\*/\s*", "", (_STATIC / "graph-picture.css").read_text("utf-8"), flags=re.DOTALL)
    light, dark = _colours()
    return f"\n{_painted(rules, light)}@media (prefers-color-scheme: dark) {{\n{_painted(rules, dark)}}}\n"


def _painted(rules: str, colours: dict[str, str]) -> str:
    return re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], rules)


def _colours() -> tuple[dict[str, str], dict[str, str]]:
    """Return the colours of the board by name: those for light windows, and those for dark ones."""
    board = (_STATIC / "board.css").read_text("utf-8")
    light, *_, dark = re.findall(r"^:root[^{]*\{([^}]*)\}", board, flags=re.MULTILINE)
    found = [dict(re.findall(r"--([\w-]+):\s*([^;]+);", block)) for block in (light, dark)]
    # fonts are the same in both
    return found[0], found[0] | found[1]


@cache
def _digest() -> str:
    return b64encode(sha256(style().encode()).digest()).decode()
