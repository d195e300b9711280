"""Find a file of a job in the store, and put it back into the job directory as a read-only copy."""

from pathlib import Path

from cas.errors import CorruptObject, StoreReadOnly
from cas.files import check_name, rename_durably, temporary_path
from cas.oid import ObjectId, oid_of_file
from cas.store import Store
from jobs.nodes.outcome import FileEntry

# copies that this process has verified: path -> what its stat was then
_trusted: dict[Path, tuple[ObjectId, int, int, int]] = {}


def blob_of(store: Store, name: str, entry: FileEntry) -> ObjectId:
    """Return the blob of file `name` of a job, which is as long as the job says.

    A job that comes from elsewhere may lie, and what it calls a small file could fill the memory.

    Raises
    ------
    CorruptObject
        When it is longer or shorter.
    """
    size = store.size_of(entry.blob)
    if size != entry.size:
        reason = f"it has {size:,} bytes, and the job whose file '{name}' it is says {entry.size:,}"
        raise CorruptObject(entry.blob, reason, where=store.name)
    return entry.blob


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
