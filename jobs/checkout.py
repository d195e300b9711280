"""Put a file of a job back into its job directory, as a read-only copy of what the store holds."""

from pathlib import Path

from cas.errors import StoreReadOnly
from cas.files import check_name, rename_durably, temporary_path
from cas.oid import ObjectId, oid_of_file
from cas.store import Store

# copies that this process has verified: path -> what its stat was then
_trusted: dict[Path, tuple[ObjectId, int, int, int]] = {}


def checkout(store: Store, blob: ObjectId, folder: Path, name: str) -> Path:
    """Return the path of file `name` in `folder`, with the content of `blob`.

    A copy that is there already is read and compared once a process, and after that trusted while its stat stays
    the same; a missing, damaged or edited one is replaced, atomically.

    Raises
    ------
    UnsafeName
        When `name` would leave the folder.
    """
    target = folder / check_name(name)
    if not _is_good(target, blob):
        _write(store, blob, folder, target)
        _trusted[target] = (blob, *_stat(target))
    return target


def _is_good(target: Path, blob: ObjectId) -> bool:
    try:
        now = (blob, *_stat(target))
    except OSError:
        return False
    if _trusted.get(target) == now:
        return True
    if target.is_symlink() or not target.is_file() or oid_of_file(target) != blob:
        return False
    _trusted[target] = now
    return True


def _stat(target: Path) -> tuple[int, int, int]:
    status = target.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _write(store: Store, blob: ObjectId, folder: Path, target: Path) -> None:
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    if not parent.resolve().is_relative_to(folder.resolve()):
        raise StoreReadOnly(f"'{parent}' leads out of the job directory '{folder}'")
    temporary = temporary_path(parent)
    try:
        with open(temporary, "xb") as copy:
            store.export(blob, copy.fileno())
        temporary.chmod(0o444)
        # not durable: a copy can be made again
        rename_durably(temporary, target, durable=False)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
