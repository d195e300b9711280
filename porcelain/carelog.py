"""`.acc/care/`: when `acc fsck` and `acc gc` last came to their end, and what they found."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from cas.errors import AccError
from cas.files import read_file, write_atomically

Care: TypeAlias = Literal["fsck", "gc"]

_FOLDER: Final = "care"


class Note(NamedTuple):
    """What is noted of the last run of a command.

    Attributes
    ----------
    ended : float
        Seconds since 1970 (UTC).
    found : mapping of str to int
        Counts and flags by their names.
    """

    ended: float
    found: Mapping[str, int]


def note(data: Path, care: Care, found: Mapping[str, int]) -> None:
    """Note in the `.acc` at `data` that a command has ended now, in place of what was noted before.

    A file a command: two that end at once do not hurt each other. Where nothing can be written nothing is noted.
    """
    text = json.dumps({"ended": time.time(), "found": dict(found)}, sort_keys=True)
    path = data / _FOLDER / f"{care}.json"
    with suppress(OSError, AccError):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, text.encode() + b"\n", durable=False)


def find_note(data: Path, care: Care) -> Note | None:
    """Return what was noted of a command; None when nothing was, or the file is none of ours."""
    try:
        told = json.loads(read_file(data / _FOLDER / f"{care}.json"))
        found = {str(name): value for name, value in told["found"].items() if isinstance(value, int)}
        return Note(float(told["ended"]), found)
    except (OSError, AccError, ValueError, LookupError, TypeError, AttributeError):
        return None
