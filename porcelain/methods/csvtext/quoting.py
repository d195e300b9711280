"""Values in quotes, in a column at a time."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from jobs.column.packed import PackedTexts, Spans
from jobs.column.transform import Mask
from jobs.errors import DatasetError

_BREAKS: Final = (b"\n", b"\r")
_QUOTES: Final = (b"'", b'"')


class Quoting:
    """Says what is written for a value, and between values.

    Parameters
    ----------
    quote
        What stands around values; empty when nothing does.
    separator, end
        What stands between the values of a line, and at its end.
    always
        Whether quotes are around all values, or around those that need them.
    """

    def __init__(self, quote: str, separator: str, end: str, *, always: bool) -> None:
        self._quote, self._separator, self._end = map(encode, (quote, separator, end))
        self._always = always and bool(quote)
        self._parts = [part for part in (separator, end) if part]
        parts = [encode(part) for part in self._parts]
        if self._always:
            parts = [self._quote]
        elif quote:
            parts += [*_BREAKS, *_QUOTES, self._quote]
        self._bytes = sorted({part for part in parts if len(part) == 1})
        # what has one of those bytes in it needs no search of its own
        self._longer = [
            part for part in parts if len(part) > 1 and not any(map(part.__contains__, self._bytes))
        ]
        self._is_special = np.zeros(256, np.bool_)
        self._is_special[list(b"".join(self._bytes))] = True

    def around(self, columns: int) -> list[bytes]:
        """Return what stands before the first column, between each two, and behind the last."""
        quote = self._quote if self._always else b""
        return [quote, *[quote + self._separator + quote] * (columns - 1), quote + self._end]

    def concerns(self, alphabet: bytes) -> bool:
        """Return whether a text of these bytes alone may be written otherwise than it is."""
        return any(not part.strip(alphabet) for part in (*self._bytes, *self._longer))

    def written(self, label: str, texts: PackedTexts) -> Spans:
        """Return what is written for the texts of a column.

        Raises
        ------
        DatasetError
            When no quotes are to be used, and a text needs them.
        """
        special = self._special(texts)
        if special is None:
            return texts.spans
        if not self._quote:
            self._refuse(label, texts.spans.where(special).tolist())
            return texts.spans
        if len(self._quote) > 1 or self._quote == b"\n":
            return self._slowly(texts, special)
        doubled = self._doubled(texts)
        return doubled.spans if self._always else self._in_quotes(doubled, special)

    def _special(self, texts: PackedTexts) -> Mask | None:
        """Return which texts cannot be written as they are, and perhaps others; None when there are none."""
        data = texts.data.tobytes()
        sought = [*self._bytes, *self._longer]
        if texts.are_lines:
            sought = [part for part in sought if part != b"\n"]
        if not any(part in data for part in sought):
            return None
        hits = self._is_special[texts.data]
        hits[texts.offsets[1:] - 1] = False
        for part in self._longer:
            hits[[match.start() for match in re.finditer(b"(?=" + re.escape(part) + b")", data)]] = True
        special = np.zeros(len(texts), np.bool_)
        special[texts.offsets.searchsorted(np.flatnonzero(hits), side="right") - 1] = True
        return special

    def _refuse(self, label: str, texts: Sequence[bytes]) -> None:
        for part in self._parts:
            if any(encode(part) in text for text in texts):
                raise DatasetError(
                    f"column '{label}' has values with {part!r} in them",
                    hint="quote_fields='\"' puts quotes around such values",
                )

    def _slowly(self, texts: PackedTexts, special: Mask) -> Spans:
        quote = self._quote
        around = b"" if self._always else quote
        rows = [
            around + text.replace(quote, quote * 2) + around if needs_quotes else text
            for text, needs_quotes in zip(texts.spans.tolist(), special.tolist(), strict=True)
        ]
        return PackedTexts.of(rows, are_bytes=True).spans

    def _doubled(self, texts: PackedTexts) -> PackedTexts:
        """Return the texts with all quotes in them doubled."""
        places = np.flatnonzero(texts.data == ord(self._quote))
        if not len(places):
            return texts
        data = np.frombuffer(texts.data.tobytes().replace(self._quote, self._quote * 2), np.uint8)
        return replace(texts, data=data, offsets=texts.offsets + places.searchsorted(texts.offsets))

    def _in_quotes(self, texts: PackedTexts, special: Mask) -> Spans:
        """Return the texts, those that are special in quotes."""
        quote = np.full(1, ord(self._quote), np.uint8)
        # the byte between two texts serves as the last of one and as the first of the other
        data = np.concatenate([quote, texts.data, quote])
        data[texts.offsets] = quote
        return Spans(data, texts.offsets[:-1] + 1 - special, texts.offsets[1:] + special)


def encode(text: str) -> bytes:
    """Return `text` as UTF-8, and surrogates as the bytes that they stand for."""
    return text.encode("utf-8", "surrogateescape")
