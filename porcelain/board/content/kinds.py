"""What a file is, by its content and the end of its name; and as what its bytes may be handed to a browser."""

import codecs
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, Literal, NamedTuple, TypeAlias

Word: TypeAlias = Literal[
    "empty", "picture", "pdf", "html", "audio", "video", "table", "json", "text", "pickle", "binary"
]

HEAD_BYTES: Final = 1 << 16
TEXT: Final = "text/plain; charset=utf-8"
PDF: Final = "application/pdf"
SVG: Final = "image/svg+xml"


class Kind(NamedTuple):
    """What a file is.

    Attributes
    ----------
    word : str
        How it is shown.
    about : str
        What it is, for people.
    media_type : str
        As what a browser may show its bytes; "": not at all, it may only be kept.
    """

    word: Word
    about: str
    media_type: str = ""


_PICTURES: Final[Sequence[tuple[bytes, Kind]]] = (
    (b"\x89PNG\r\n\x1a\n", Kind("picture", "PNG picture", "image/png")),
    (b"\xff\xd8\xff", Kind("picture", "JPEG picture", "image/jpeg")),
    (b"GIF87a", Kind("picture", "GIF picture", "image/gif")),
    (b"GIF89a", Kind("picture", "GIF picture", "image/gif")),
)
_OTHERS: Final[Sequence[tuple[bytes, Kind]]] = (
    (b"%PDF-", Kind("pdf", "PDF", PDF)),
    (b"OggS", Kind("audio", "Ogg", "audio/ogg")),
    (b"fLaC", Kind("audio", "FLAC", "audio/flac")),
    (b"ID3", Kind("audio", "MP3", "audio/mpeg")),
    (b"\x93NUMPY", Kind("binary", "NumPy array")),
    (b"PK\x03\x04", Kind("binary", "ZIP archive")),
    (b"\x1f\x8b", Kind("binary", "gzip")),
    (b"\x28\xb5\x2f\xfd", Kind("binary", "zstd")),
    (b"BZh", Kind("binary", "bzip2")),
    (b"\xfd7zXZ\x00", Kind("binary", "xz")),
    (b"PAR1", Kind("binary", "Parquet")),
    (b"ARROW1", Kind("binary", "Arrow file")),
    (b"SQLite format 3\x00", Kind("binary", "SQLite database")),
    (b"\x89HDF\r\n\x1a\n", Kind("binary", "HDF5")),
    (b"\x7fELF", Kind("binary", "ELF program")),
)
# what is in a RIFF or ISO file, by the four bytes that say so
_IN_RIFF: Final[Mapping[bytes, Kind]] = {
    b"WEBP": Kind("picture", "WebP picture", "image/webp"),
    b"WAVE": Kind("audio", "WAV", "audio/wav"),
}
_ISO: Final[Mapping[bytes, Kind]] = {
    b"avif": Kind("picture", "AVIF picture", "image/avif"),
    b"avis": Kind("picture", "AVIF picture", "image/avif"),
    b"M4A ": Kind("audio", "MPEG-4 audio", "audio/mp4"),
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"),
        Kind("video", "MPEG-4 video", "video/mp4"),
    ),
}
_TEXTS: Final[Mapping[str, Kind]] = {
    ".csv": Kind("table", "CSV", TEXT),
    ".tsv": Kind("table", "TSV", TEXT),
    ".jsonl": Kind("table", "JSON lines", TEXT),
    ".ndjson": Kind("table", "JSON lines", TEXT),
    ".json": Kind("json", "JSON", TEXT),
    ".geojson": Kind("json", "GeoJSON", TEXT),
    ".ipynb": Kind("json", "notebook", TEXT),
    ".html": Kind("html", "HTML", TEXT),
    ".htm": Kind("html", "HTML", TEXT),
    ".xhtml": Kind("html", "XHTML", TEXT),
    ".md": Kind("text", "Markdown", TEXT),
    ".py": Kind("text", "Python", TEXT),
    ".log": Kind("text", "text", TEXT),
    ".txt": Kind("text", "text", TEXT),
}
_EBML: Final = b"\x1a\x45\xdf\xa3"


def kind_of(name: str, head: bytes, size: int) -> Kind:
    """Return what a file is.

    Parameters
    ----------
    head
        Its first `HEAD_BYTES` bytes, or all when it has fewer.

    >>> kind_of("x.html", b"GIF89a<script>", 14).media_type, kind_of("x.png", b"<script>", 8).media_type
    ('image/gif', 'text/plain; charset=utf-8')
    """
    if not size:
        return Kind("empty", "empty", TEXT)
    suffix = PurePosixPath(name).suffix.lower()
    found = _by_signature(head) or _by_structure(head, suffix) or _by_name(suffix)
    if found is not None:
        return found
    if is_text(head, whole=size <= len(head)):
        return _of_text(suffix, head)
    if suffix in _TEXTS and b"\0" not in head:
        # in an encoding of before UTF-8: better shown with a few wrong letters than as numbers
        return _TEXTS[suffix]
    return Kind("binary", "binary")


def is_text(head: bytes, *, whole: bool) -> bool:
    """Return whether the beginning of a file is UTF-8; unless it is `whole`, its last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _by_signature(head: bytes) -> Kind | None:
    return next((kind for magic, kind in (*_PICTURES, *_OTHERS) if head.startswith(magic)), None)


def _by_structure(head: bytes, suffix: str) -> Kind | None:
    if head.startswith(b"RIFF"):
        return _IN_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _ISO.get(head[8:12])
    if head.startswith(_EBML):
        is_webm = b"webm" in head[:64]
        return Kind("video", "WebM", "video/webm") if is_webm else Kind("binary", "Matroska")
    if suffix == ".mp3" and head[:1] == b"\xff" and head[1:2] >= b"\xe0":
        return Kind("audio", "MP3", "audio/mpeg")
    return None


def _of_text(suffix: str, head: bytes) -> Kind:
    is_svg = suffix == ".svg" and b"svg" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_svg:
        return Kind("picture", "SVG picture", SVG)
    return _TEXTS.get(suffix, Kind("text", "text", TEXT))


def _by_name(suffix: str) -> Kind | None:
    # the oldest ones look like text
    return Kind("pickle", "pickle") if suffix in (".pickle", ".pkl") else None
