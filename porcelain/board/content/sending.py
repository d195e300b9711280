"""The bytes of a file as an answer: verified as they go, in bounded memory, and harmless wherever they are opened."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from cas.errors import AccError
from cas.local.store import LocalStore
from cas.oid import ObjectId, oid_of
from porcelain.board.content.kinds import PDF

log = logging.getLogger(__name__)

# No origin, no scripts, nothing fetched; an SVG or a page may have styles of its own. The viewer of a browser
# shows a PDF only outside a sandbox: it has one of its own, in which what the PDF holds knows nothing of the board.
POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; "
    "frame-ancestors 'self'"
)
PDF_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'; "
    "form-action 'none'; base-uri 'none'"
)
HTML: Final = "text/html; charset=utf-8"
_CHUNK_BYTES: Final = 1 << 18
_NAME_CHARACTERS: Final = 150
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# letters that change how the letters around them are read
_TURNING: Final = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "_")


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it is sent.

    Attributes
    ----------
    media_type : str
        "": to be kept, not shown.
    put_in : bytes
        What is put into the bytes of the blob at `place`: a stamp.
    """

    blob: ObjectId
    name: str
    size: int
    media_type: str = ""
    put_in: bytes = b""
    place: int = 0


def send(store: LocalStore, sent: Sent, asked: Mapping[str, str], *, only_head: bool) -> Response:
    """Return the answer to who asks for the bytes of a file.

    Parameters
    ----------
    asked
        The header fields of the request.
    """
    headers = _headers(sent)
    if headers["ETag"] in _tags(asked.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    total = sent.size + len(sent.put_in)
    span = None if sent.put_in else _span(asked, headers["ETag"], total)
    if span is not None and not span:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{total}"})
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{total}"
    headers["Content-Length"] = str(total if span is None else len(span))
    status = 200 if span is None else 206
    if only_head:
        return Response(status_code=status, headers=headers)
    # opened here: what is gone, or damaged at its very beginning, is told in words
    pieces = _whole(store, sent) if span is None else _some(store.open(sent.blob), span)
    return Breaking(pieces, status, headers)


class Breaking(StreamingResponse):
    """An answer that breaks off when what it reads is damaged: whoever counts its bytes sees that some are missing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and log in one line what ends it early."""
        try:
            await super().__call__(scope, receive, send)
        except AccError as err:
            log.error("%s; the answer to %s was broken off", err, quote(scope["path"]))


def _headers(sent: Sent) -> dict[str, str]:
    name = _safe_name(sent.name)
    ascii_name = re.sub(r"[^ !#-\[\]-~]|%", "_", name)
    how = "inline" if sent.media_type else "attachment"
    return {
        "Content-Type": sent.media_type or "application/octet-stream",
        "Content-Disposition": f"{how}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": PDF_POLICY if sent.media_type == PDF else POLICY,
        # a sandboxed document may open no window that others share: it is refused with any other word
        "Cross-Origin-Opener-Policy": "unsafe-none",
        "ETag": f'"{sent.blob}{"-" + oid_of(sent.put_in)[:16] if sent.put_in else ""}"',
        "Accept-Ranges": "none" if sent.put_in else "bytes",
    }


def _safe_name(name: str) -> str:
    r"""Return the last part of a name as one to keep a file under: no controls, nothing that reads backwards.

    >>> _safe_name("plots/a\r\nb.png")
    'a__b.png'
    """
    last = name.rpartition("/")[2].translate(_TURNING)
    plain = "".join(letter if letter.isprintable() and letter not in '\\:*?"<>|' else "_" for letter in last)
    stem, dot, suffix = plain.rpartition(".")
    if len(plain) > _NAME_CHARACTERS:
        plain = stem[: _NAME_CHARACTERS - len(dot + suffix)] + dot + suffix
    return plain[:_NAME_CHARACTERS] or "file"


def _tags(text: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in text.split(",")]


def _span(asked: Mapping[str, str], tag: str, total: int) -> range | None:
    """Return which bytes are asked for, none when they lie behind the end; None when all are."""
    match = _RANGE.fullmatch(asked.get("range", ""))
    if match is None or asked.get("if-range", tag) != tag or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, total - int(last)), total)
    # one that ends before it begins asks for nothing that there is: it is not heeded
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else total, total))


def _whole(store: LocalStore, sent: Sent) -> Iterator[bytes]:
    pieces = store.pieces(sent.blob)
    return _with(pieces, sent.put_in, sent.place) if sent.put_in else pieces


def _with(pieces: Iterator[bytes], put_in: bytes, place: int) -> Iterator[bytes]:
    """Yield pieces with something put in at a place, which lies in the first of them."""
    first = next(pieces)
    yield first[:place] + put_in + first[place:]
    yield from pieces


def _some(stream: BinaryIO, span: range) -> Iterator[bytes]:
    with stream:
        stream.seek(span.start)
        left = len(span)
        while left and (chunk := stream.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
