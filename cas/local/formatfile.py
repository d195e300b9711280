"""The file `format` of a store: which version it is of, what it needs of a reader, and a name for caches.

Notes
-----
Source: docs/reference/formats/store.md.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cas.errors import UnknownFormat
from cas.files import UnreadableFile, place_new, read_file, sync_folder, temporary_path, write_atomically

# version 1 knows named seals only; all that it wrote is read, so a store of it becomes one of version 2 as it is
_VERSION: Final = 2
# what a store may ask of whoever opens it; later versions add to it
_KNOWN_NEEDS: Final[frozenset[str]] = frozenset()
# what `write_format` writes. To see that it is this takes no time; to load json takes a tenth of `acc cat-file -p ID`
_USUAL: Final = re.compile(rb'\{\n "needs": \[\],\n "uuid": "[0-9a-f-]{36}",\n "version": 2\n\}\n')


def write_format(root: Path) -> None:
    """Write the file, unless it is there or another process does so first; say of an older store that it is newer."""
    path = root / "format"
    if path.exists():
        told = _read(path)
        if told["version"] == 1:
            write_atomically(path, _encode(told | {"version": _VERSION}))
        return
    import uuid  # once in the life of a store, and slow to import

    draft = temporary_path(root)
    write_atomically(draft, _encode({"needs": [], "uuid": str(uuid.uuid4()), "version": _VERSION}))
    # it does not replace what is there: the first uuid stays
    place_new(draft, path)
    for folder in (root, root.parent):
        sync_folder(folder)


def check_format(root: Path) -> None:
    """Raise `UnknownFormat` unless `root` holds a store that this acc can read; bring an older one up to date."""
    if _is_usual(root / "format"):
        return
    told = _read(root / "format")
    if told["version"] == 1:
        with suppress(OSError):  # who cannot write there writes no objects of version 2 either
            write_format(root)
    unknown = sorted(set(told["needs"]) - _KNOWN_NEEDS)
    if told["version"] not in (1, _VERSION) or unknown:
        what = f"needs {', '.join(unknown)}" if unknown else f"has version {told['version']}"
        raise UnknownFormat(f"store '{root}' {what}, which this acc does not know", hint="use a newer acc")


def _is_usual(path: Path) -> bool:
    try:
        return _USUAL.fullmatch(read_file(path)) is not None
    except (OSError, UnreadableFile):
        return False


def _encode(told: dict[str, Any]) -> bytes:
    import json

    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"


def _read(path: Path) -> dict[str, Any]:
    import json

    try:
        told: dict[str, Any] = json.loads(read_file(path))
        told["version"], set(told["needs"])
    except FileNotFoundError as err:
        raise UnknownFormat(f"'{path.parent}' holds no store", hint="'acc init' makes a project") from err
    except (ValueError, KeyError, TypeError) as err:
        raise UnknownFormat(f"'{path}' is no format file of a store") from err
    return told
