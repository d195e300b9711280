"""What is said of files that are no text: their first bytes, and what a pickle or an array says of itself."""

import pickletools
from collections.abc import Iterator
from io import BytesIO
from typing import Final

DUMPED_BYTES: Final = 1024
_ROW_BYTES: Final = 16
_MOST_NAMES: Final = 50


def dump(data: bytes) -> str:
    r"""Return bytes as lines of numbers in base 16, with the letters among them.

    >>> print(dump(b"acc\n"))
    00000000  61 63 63 0a                                       |acc.|
    """
    return "\n".join(
        f"{start:08x}  {_numbers(row):<48}  |{_letters(row)}|"
        for start in range(0, len(data), _ROW_BYTES)
        for row in [data[start : start + _ROW_BYTES]]
    )


def _numbers(row: bytes) -> str:
    return row[:8].hex(" ") + (f"  {row[8:].hex(' ')}" if len(row) > 8 else "")


def _letters(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


def classes_in_pickle(head: bytes) -> list[str] | None:
    """Return what a pickle would call, as far as its beginning tells; None when it is none.

    It is not loaded, which would run what is in it; only its instructions are read.
    """
    found: dict[str, None] = {}
    try:
        for name in _names(head):
            found[name] = None
            if len(found) == _MOST_NAMES:
                break
    except (ValueError, IndexError, OverflowError, UnicodeError):
        # it ends somewhere behind its beginning, or is damaged: what was read is what is known
        return [*found] if head[:1] == b"\x80" else None
    return [*found]


def _names(head: bytes) -> Iterator[str]:
    """Yield "module.name" for each class or function that a pickle names."""
    texts: list[str] = []
    memo: list[str] = []
    for opcode, argument, _ in pickletools.genops(BytesIO(head)):
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL" and len(texts) >= 2:
            yield ".".join(texts[-2:])
        elif opcode.name == "MEMOIZE":
            # only texts are remembered as such; what else is there takes a place
            memo.append(texts[-1] if texts else "")
        elif opcode.name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
            texts.append(memo[argument] if argument < len(memo) else "?")
        elif isinstance(argument, str):
            texts.append(argument)


def array_in_numpy(head: bytes) -> str:
    r"""Return what the head of a NumPy file says of the array: type, order, shape.

    >>> array_in_numpy(b"\x93NUMPY\x01\x00\x14\x00{'descr': '<f8', }  \n")
    "{'descr': '<f8', }"
    """
    start = 10 if head[6:7] == b"\x01" else 12
    length = int.from_bytes(head[8:start], "little")
    return head[start : start + min(length, DUMPED_BYTES)].decode("latin-1").strip()
