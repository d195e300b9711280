"""Files that a crash leaves old or new, never half: the only room that knows fsync, rename and flock."""

import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from cas.errors import AccError, StoreReadOnly, UnsafeName

TEMPORARY_PREFIX: Final = ".tmp-"

_COPY_BYTES: Final = 1 << 20
_PART_BYTES: Final = 255  # what ext4, xfs, btrfs and apfs take
_FICLONE: Final = (
    0x40049409  # linux/fs.h: share the extents of another file, copied when one of them is written
)
# what is said of a folder in which one may not write
_REFUSALS: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
# what filesystems without hard links say
_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
# errors of `open` that say that no file can be read there, and how: they are no faults of the disk or this process
_UNREADABLE: Final = {
    errno.ELOOP: "a symlink is in its place",
    errno.ENXIO: "a socket is in its place",
    errno.EOPNOTSUPP: "a socket is in its place",  # what macOS and BSD say
    errno.EACCES: "it may not be read",
}
_LOCK: Final = ".lock"
_FULL_SYNC: Final[int | None] = getattr(fcntl, "F_FULLFSYNC", None)


class Locked(AccError):
    """A lock that somebody else holds."""


class UnreadableFile(AccError):
    """A folder, a symlink, a pipe or the like where a file should be, or a file that may not be read."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"'{path}' cannot be read: {reason}")
        self.reason = reason


class PlaceTaken(AccError):
    """What is no file, in the place of a file that is to be written or of its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"'{path}' cannot be written: what is no file of acc is in its place, or in that of its folder",
            hint="'acc fsck' names it; move it away",
        )


@contextmanager
def writing_in(root: Path) -> Iterator[None]:
    """Raise `StoreReadOnly` of the store at `root` when the block is not allowed to write."""
    try:
        yield
    except OSError as err:
        if err.errno not in _REFUSALS:
            raise
        raise StoreReadOnly(f"store '{root}' is only read") from err


def open_file(path: str | Path) -> tuple[int, int]:
    """Return a descriptor of the file at `path`, open for reading, and how long that is.

    Others may have put anything there. It never waits for the other end of a pipe, and follows no symlink.

    Raises
    ------
    FileNotFoundError
        When nothing is there, be it that its folder is none.
    UnreadableFile
        When it is no regular file, or may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except NotADirectoryError as err:
        raise FileNotFoundError(*err.args, str(path)) from err
    except OSError as err:
        if err.errno not in _UNREADABLE:
            raise
        raise UnreadableFile(path, _UNREADABLE[err.errno]) from err
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnreadableFile(path, "what is in its place is no file")
    return descriptor, status.st_size


def read_file(path: str | Path) -> bytes:
    """Return what is in the file at `path`, which is opened as `open_file` does."""
    descriptor, _ = open_file(path)
    with open(descriptor, "rb", buffering=0) as file:
        return file.read()


def kind_of(path: str | Path) -> Literal["file", "folder", "other", "nothing"]:
    """Return what is at `path` itself; a symlink is something other, whatever it leads to."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "other"


def is_temporary(path: Path) -> bool:
    """Return whether a name that was listed is that of a file on its way, be it gone by now."""
    return path.name.startswith(TEMPORARY_PREFIX) and kind_of(path) in ("file", "nothing")


def temporary_path(folder: Path) -> Path:
    """Return a fresh name in `folder`, which every reader of the folder passes over."""
    return folder / f"{TEMPORARY_PREFIX}{os.getpid()}-{os.urandom(8).hex()}"


def create_temporary(folder: Path, mode: int) -> tuple[Path, int]:
    """Return a fresh file in `folder`, and its descriptor, open for writing; it is locked while that is open.

    Whoever finds it unlocked knows that its writer is dead. So it is closed after it has got its name, or is gone.
    """
    path = temporary_path(folder)
    descriptor = _create(path, mode)
    # some network filesystems have no locks: there the age of the file tells
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return path, descriptor


def find_abandoned(folder: Path, *, age_seconds: float) -> Iterator[Path]:
    """Yield the temporary files in `folder` whose writers are dead: unlocked, and not written for `age_seconds`."""
    for path in sorted(folder.glob(TEMPORARY_PREFIX + "*")):
        with suppress(OSError, UnreadableFile):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or time.time() - status.st_mtime < age_seconds:
                continue
            # what has another name already must not even be opened: to close a database that this process has open
            # ends the locks of SQLite
            if status.st_nlink > 1 or not is_locked(path):
                yield path


def hold_lock(path: Path) -> int:
    """Return a descriptor that holds the lock on the file at `path`, made when it is missing, until it is closed.

    It is a shared lock, which processes forked meanwhile hold too: it ends with the last of them.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_locked(path: Path) -> bool:
    """Return whether somebody holds the lock on the file at `path`, be it shared."""
    descriptor, _ = open_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_atomically(
    path: Path, data: bytes | bytearray | memoryview, *, mode: int = 0o644, durable: bool = True
) -> None:
    """Make `data` the content of the file at `path`: whoever reads it sees the old content or all of the new.

    Parameters
    ----------
    path : Path
        Replaced when it exists; its folder must be there.
    data : buffer
        The whole content.
    mode : int
        Permissions of the new file, less the umask.
    durable : bool
        Also return only when the content and the name would survive a power failure.
    """
    temporary, descriptor = create_temporary(path.parent, mode)
    try:
        write_all(descriptor, data)
        if durable:
            sync_file(descriptor)
        rename_durably(temporary, path, durable=durable)
    except BaseException:
        # after a failed fsync nobody knows what is on disk: the file is given up, never synced again
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`: a single write takes 2 GiB at most, and less when the disk is nearly full."""
    written = os.write(descriptor, data)
    if written < len(data):
        with memoryview(data).cast("B") as rest:
            while written < len(rest):
                written += os.write(descriptor, rest[written:])


def sync_file(descriptor: int) -> None:
    """Return when the file's bytes are on the disk."""
    if _FULL_SYNC is not None:
        # macOS: fsync hands the bytes to the drive, which may still hold them in its cache
        with suppress(OSError):
            fcntl.fcntl(descriptor, _FULL_SYNC)
            return
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Return when the names in the folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as err:
        # some network filesystems sync names at once and refuse to be asked
        if err.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def rename_durably(source: Path, target: Path, *, durable: bool) -> None:
    """Rename `source` to `target`, in place of what is there, and for good when `durable`.

    Raises
    ------
    PlaceTaken
        When a folder is at `target`, or what is no folder where its folder should be.
    """
    try:
        source.replace(target)
    except OSError as err:
        if err.errno not in (errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
            raise
        raise PlaceTaken(target) from err
    if durable:
        sync_folder(target.parent)


def place_new(source: Path, target: Path) -> bool:
    """Give `source` the name `target` unless that is taken; return whether it was free. `source` is gone after.

    Of two who do so at once one wins. Where there are no hard links, the lock file that this takes stays behind.
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        source.unlink()
        return False
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        with lock_file(target.with_name(_LOCK)):
            if target.exists():
                source.unlink()
                return False
            source.replace(target)
            return True
    source.unlink()
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """Give the file `source` a second name `target`, which must be free; without hard links, make a copy of it."""
    try:
        target.hardlink_to(source)
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        clone_or_copy(source, target)


def clone_or_copy(source: int | Path, target: Path) -> None:
    """Make `target`, which must not exist, a file with the bytes of `source`, shared on disk if possible.

    Parameters
    ----------
    source : int or Path
        A path, or a descriptor open for reading, whose position does not matter and does not move.
    target : Path
        The new file; gone again when an error is raised.
    """
    if isinstance(source, Path):
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            clone_or_copy(descriptor, target)
        finally:
            os.close(descriptor)
        return
    copy = _create(target, 0o666)
    try:
        try:
            if not _clone(source, copy):
                _copy(source, copy)
        finally:
            os.close(copy)
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise


@contextmanager
def lock_file(path: Path, *, shared: bool = False, blocking: bool = True) -> Iterator[None]:
    """Hold the lock on the file at `path`, made when it is missing, while the block runs.

    Parameters
    ----------
    path : Path
        The lock file; it is never removed, since two could then hold the same lock.
    shared : bool
        Hold it together with others who ask for it shared.
    blocking : bool
        Wait for whoever holds it; else raise `Locked`.
    """
    owner = os.getpid()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, operation if blocking else operation | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise Locked(f"'{path}' is locked by another process") from err
        try:
            yield
        finally:
            # closing would not do: a child forked meanwhile has the descriptor too, and would keep the lock.
            # And that child, leaving this block, must not end its parent's lock.
            if os.getpid() == owner:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def check_name(name: str) -> str:
    """Return `name` when it is a safe relative name (of a file, of a ref); else raise `UnsafeName`.

    That is Unicode text whose parts, between slashes, are not "", "." or ".." and at most 255 bytes long.

    >>> check_name("plots/january.png")
    'plots/january.png'
    """
    try:
        data = name.encode()
    except UnicodeEncodeError as err:
        raise UnsafeName(f"name {name!a} is no Unicode text") from err
    if b"\0" in data:
        raise UnsafeName(f"name {name!r} holds a zero byte")
    for part in data.split(b"/"):
        if part in (b"", b".", b".."):
            raise UnsafeName(
                f"name '{name}' is not relative or leaves its folder",
                hint="a name has no empty part, no '.' and no '..'",
            )
        if len(part) > _PART_BYTES:
            raise UnsafeName(f"name '{name[:50]}...' has a part of more than {_PART_BYTES} bytes")
    return name


def _create(path: Path, mode: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)


def _clone(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False  # another disk, or a filesystem that cannot
    return True


def _copy(source: int, target: int) -> None:
    done = 0
    while piece := os.pread(source, _COPY_BYTES, done):
        write_all(target, piece)
        done += len(piece)
