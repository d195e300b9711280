"""The files in a zip file, whatever somebody put there: none of them is ever written to disk under its name."""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, NamedTuple

from jobs.errors import DatasetError, OptionError
from jobs.method.options import InputPath

_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)
# of another compression, or encrypted
_UNREADABLE: Final = (NotImplementedError, RuntimeError)


class ZipMember(NamedTuple):
    """One file in a zip file.

    Attributes
    ----------
    number : int
        Its place in the directory of the zip file, from 0; names may come twice.
    name : str
        As it stands there, with folders; it may be anything.
    bytes : int
        Its size, uncompressed, as the zip file says.
    """

    number: int
    name: str
    bytes: int


def list_members(file: InputPath) -> list[ZipMember]:
    """Return the files in a zip file in the order of its directory; no folders, links or devices."""
    with _opened(file) as archive:
        return [
            ZipMember(number, info.filename, info.file_size)
            for number, info in enumerate(archive.infolist())
            if _is_file(info)
        ]


@contextmanager
def open_member(file: InputPath, member: str | int) -> "Iterator[tuple[MemberStream, str]]":
    """Give a file in a zip file as a stream, and what errors call it.

    Parameters
    ----------
    file
        The zip file.
    member
        Name, or number; of several with one name the first is taken.
    """
    with _opened(file) as archive:
        info = _find(archive, file, member)
        name = member_name(file, info.filename)
        try:
            stream = archive.open(info)
        except (*_DAMAGE, *_UNREADABLE) as err:
            raise DatasetError(f"'{name}' cannot be read", hint=str(err)) from err
        with stream:
            yield MemberStream(stream, name, info.file_size), name


def member_name(file: str, member: str) -> str:
    """Return what a file in a zip file is called: "x.zip:a.csv"."""
    return f"{file}:{member}"


class MemberStream:
    """The bytes of a file in a zip file; an error unless they are as many as the zip file says, and its checksum fits.

    Never more than that are uncompressed.
    """

    def __init__(self, stream: IO[bytes], name: str, size: int) -> None:
        self._stream = stream
        self._name = name
        self._left = size

    def read(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        try:
            data = self._stream.read(size)
        except (*_DAMAGE, *_UNREADABLE) as err:
            raise DatasetError(f"'{self._name}' is damaged", hint=str(err)) from err
        self._left -= len(data)
        if size and not data and self._left:
            raise DatasetError(f"'{self._name}' is damaged", hint=f"it lacks {self._left} bytes at its end")
        return data


@contextmanager
def _opened(file: InputPath) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file.path)
    except (*_DAMAGE, *_UNREADABLE, ValueError) as err:
        raise DatasetError(f"'{file}' is no zip file, or a damaged one", hint=str(err)) from err
    with archive:
        yield archive


def _find(archive: zipfile.ZipFile, file: InputPath, member: str | int) -> zipfile.ZipInfo:
    if isinstance(member, int):
        infos = archive.infolist()[member : member + 1] if member >= 0 else []
    else:
        infos = [info for info in archive.infolist() if info.filename == member]
    if not infos:
        raise OptionError(f"'{file}' has no file '{member}'")
    if not _is_file(infos[0]):
        raise OptionError(f"'{infos[0].filename}' in '{file}' is no file, but a folder, link or device")
    return infos[0]


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return not info.is_dir() and kind in (0, stat.S_IFREG)
