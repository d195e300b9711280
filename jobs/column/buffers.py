"""One column slice as buffers: texts in one piece, moments with their zones; no Python object for any value."""

from typing import BinaryIO

from jobs.column.codec import batch_array
from jobs.column.fixed import MomentCodec
from jobs.column.slice import SliceReader
from jobs.column.text import SpanCodec, TextSpans
from jobs.column.transform import Array, Mask

_SPANS = {
    "bytes": SpanCodec(only_ascii=False),
    "ascii": SpanCodec(only_ascii=True),
    "unicode": SpanCodec(only_ascii=False),
    "json": SpanCodec(only_ascii=True),
}


class BufferReader(SliceReader):
    """Read a column slice; of bytes, text and json only by `texts`."""

    def __init__(self, stream: BinaryIO, column_type: str, *, none_support: bool) -> None:
        super().__init__(stream, column_type, none_support=none_support)
        self._codec = _SPANS.get(self._base, self._codec)

    def texts(self, number: int) -> tuple[TextSpans, Mask | None]:
        """Return the byte strings of batch `number` that are not None, and which rows are None."""
        spans, mask = self._read(number)
        return spans, mask

    def moments(self, number: int) -> tuple[Array, Mask, Mask | None]:
        """Return the datetimes of batch `number`, which of those that are not None are UTC, and which rows are None."""
        body, mask = self._read(number)
        assert isinstance(self._codec, MomentCodec)
        return batch_array(self._codec, body, mask), self._codec.are_utc(body), mask
