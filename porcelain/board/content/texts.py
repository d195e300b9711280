"""Texts of files: a part of a long one, and JSON set out to be read."""

import json
import re
from typing import BinaryIO, Final, NamedTuple

PART_BYTES: Final = 1 << 16
_INDENT: Final = "  "
# what JSON is made of; what stands between is white space, if it is JSON
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Part(NamedTuple):
    """Some lines of a text: where the next ones begin, in bytes; None behind the last."""

    text: str
    next: int | None


def read_part(stream: BinaryIO, at: int, most_bytes: int = PART_BYTES) -> Part:
    """Return the lines that begin at a byte, as many as `most_bytes` take."""
    stream.seek(at)
    data = stream.read(most_bytes)
    is_last = len(data) < most_bytes or not stream.read(1)
    if not is_last:
        # whole lines, unless one alone is longer
        data = data[: data.rfind(b"\n") + 1] or data
    # what a byte order mark says of the order of bytes in UTF-8 is nothing
    text = data.removeprefix(b"\xef\xbb\xbf" if at == 0 else b"").decode("utf-8", "replace")
    return Part(text.replace("\r\n", "\n"), None if is_last else at + len(data))


def clean(text: str) -> str:
    """Return a text that UTF-8 has: JSON may hold halves of characters.

    >>> clean(chr(0xD800) + "a")
    '?a'
    """
    return text.encode("utf-8", "replace").decode()


def set_out(text: str) -> str | None:
    r"""Return JSON over lines, its numbers and texts as they are written; None when it is none.

    >>> print(set_out('{"a":[1.10,"\\u00e9"],"b":{}}'))
    {
      "a": [
        1.10,
        "\u00e9"
      ],
      "b": {}
    }
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    written, depth = list[str](), 0
    tokens = _TOKEN.findall(text)
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in "{[" and following not in "}]":
            depth += 1
            written += [token, "\n", _INDENT * depth]
        elif token == ",":
            written += [token, "\n", _INDENT * depth]
        elif token == ":":
            written.append(": ")
        else:
            written.append(token)
        if token not in ("{", "[") and following in ("}", "]"):
            depth -= 1
            written += ["\n", _INDENT * depth]
    return "".join(written)
