"""What a remote holds, as its log tells: looked at, and changed by one transaction after another."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from cas.errors import (
    AccError,
    CorruptRemote,
    NotARemote,
    NotCanonical,
    RemoteDenied,
    RemoteFileGone,
    RemoteNotFound,
    RemoteUnreachable,
    UnknownFormat,
)
from cas.formats.canonical import dumps, loads
from cas.oid import ObjectId
from cas.remote.bucket import Bucket
from cas.remote.keys import FORMAT, index_key
from cas.remote.log import (
    MANY_FILES,
    LogFile,
    covering,
    decode_file,
    encode_file,
    get_file,
    list_log,
    merged,
    read_file,
    worth_merging,
)
from cas.remote.mirror import Mirror
from cas.remote.transaction import Change
from cas.remote.uploads import Uploads

# hears of nodes by id, each with its kind
Arriving: TypeAlias = Callable[[Mapping[ObjectId, str]], None]

log = logging.getLogger(__name__)

_VERSION: Final = 1
_MOST_FORMAT_BYTES: Final = 1 << 16
# of 20 million objects
_MOST_INDEX_BYTES: Final = 1 << 30
_MOST_CONFLICTS: Final = 1000
# a state older than this is looked at again before anything is based on it
_FRESH_SECONDS: Final = 60.0
# and nothing is committed on top of one older than this, since the machine may have slept for days: gc takes files of
# the log a day after others tell the same
_USABLE_SECONDS: Final = 3600.0
# how long others have to end what they have begun, before they count as dead
PATIENCE_SECONDS: Final = 600.0


class RemoteRemade(AccError):
    """A remote that is another one than when it was last seen: it was wiped, and made again."""


class Remote:
    """One remote: its files, and what this machine knows of it.

    Parameters
    ----------
    bucket
        Its files.
    mirror
        What was known of it.
    arriving
        Hears of the nodes that come from there, before they are stored: whose they are may matter for what is done
        with them.

    Attributes
    ----------
    remade : bool
        Whether the last look found another remote than the one that was known.
    uploads : Uploads
        What is sent goes through it.
    patience_seconds : float
        How long others have to end what they have begun, before they count as dead.
    """

    def __init__(self, bucket: Bucket, mirror: Mirror, arriving: Arriving | None = None) -> None:
        self.bucket = bucket
        self.mirror = mirror
        self.arriving: Arriving = arriving or (lambda _: None)
        self.name = bucket.name
        self.remade = False
        self.uploads = Uploads(bucket, mirror)
        self.patience_seconds = PATIENCE_SECONDS
        self._files: dict[tuple[int, int], LogFile] = {}
        self._looked = float("-inf")
        # what `make` has just read or written, for the look that follows it
        self._format: bytes | None = None

    def look(self) -> None:
        """Learn what the remote holds now; what is known already is not read again.

        Raises
        ------
        RemoteNotFound
            When there is none.
        UnknownFormat
            When a later version of acc made it.
        """
        data, self._format = self._format or self._find_format(), None
        if data is None:
            hint = "'acc push' makes one, of an empty folder or bucket"
            if self.mirror.uuid:
                hint += "; 'acc push --repair' mends one that has lost its file 'format'"
            raise RemoteNotFound(f"there is no remote of acc at '{self.name}'", hint=hint)
        uuid = _read_format(data, self.name)
        if uuid != self.mirror.uuid:
            self.remade = bool(self.mirror.uuid)
            self.mirror.begin(uuid)
        try:
            self._read_log()
        except FileNotFoundError:
            # somebody has merged it, and gc taken it away, since it was listed
            self._read_log()
        self._bring_indexes()
        self._looked = time.time()

    def look_unless_fresh(self, seconds: float = _FRESH_SECONDS) -> bool:
        """Look, unless that was done so lately; return whether it was not."""
        is_old = self._is_older(seconds)
        if is_old:
            self.look()
        return is_old

    def make(self) -> None:
        """Make a remote where there is none; does nothing where there is one."""
        self._format = self._find_format()
        if self._format is None:
            data = _encode_format(str(uuid4()))
            # somebody else may have made it since
            if (others := self.bucket.list("")) and self._find_format() is None:
                hint = "give a folder or prefix of its own"
                if self.mirror.uuid:
                    hint += "; 'acc push --repair' mends a remote that has lost its file 'format'"
                raise NotARemote(
                    f"'{self.name}' is no remote of acc, and not empty: it holds '{others[0].key}'", hint=hint
                )
            if self.bucket.create(FORMAT, data):
                self._format = data

    def _find_format(self) -> bytes | None:
        return self.bucket.find(FORMAT, most_bytes=_MOST_FORMAT_BYTES)

    def restore(self) -> bool:
        """Write the format file again, if it is gone or damaged; return whether it was.

        That of the remote which is known here, while a log is still there: an empty place is a new one.
        """
        data = self.bucket.find(FORMAT, most_bytes=_MOST_FORMAT_BYTES)
        with suppress(NotARemote):
            if data is not None:
                _read_format(data, self.name)
                return False
        if not self.mirror.uuid or not list_log(self.bucket):
            return False
        self.bucket.put(FORMAT, _encode_format(self.mirror.uuid))
        return True

    def commit(self, draw: Callable[[], Change | None]) -> int:
        """Make a change, based on what the remote holds when it is made; return the number of its transaction.

        Parameters
        ----------
        draw
            Gives the change, or None when there is nothing to do any more, from what `mirror` knows then; called
            again when others have changed the remote meanwhile.

        Returns
        -------
        int
            0 when nothing was done.

        Raises
        ------
        Moved
            When a file that the change names was sent, and is gone, or is about to be.
        """
        self.look_unless_fresh()
        for _ in range(_MOST_CONFLICTS):
            # the number first: other processes of this machine may get to know more at any moment
            number = self.mirror.number + 1
            self.mirror.refresh()
            change = draw()
            if change is None or change.is_empty:
                return 0
            if self._is_older(_USABLE_SECONDS):
                self.look()
                continue
            self.uploads.check(change)
            file, data = LogFile(number, number), encode_file(change)
            if self.bucket.create(file.key, data, exclusive=self.is_exclusive()):
                self._know(file._replace(bytes=len(data)), change)
                self._keep_log_short()
                return number
            self._read_other(file)
        raise CorruptRemote(f"others change remote '{self.name}' without end")

    def is_exclusive(self) -> bool:
        """Return whether its filesystem refuses to create a file that is there; tried once, and remembered."""
        noted = self.mirror.note("exclusive")
        if not noted:
            data = self.bucket.get(FORMAT)
            noted = "yes" if self.bucket.can_create_once(FORMAT, data) else "no"
            self.mirror.keep_note("exclusive", noted)
        return noted == "yes"

    def _is_older(self, seconds: float) -> bool:
        return not 0 <= time.time() - self._looked < seconds

    # -- the log -----------------------------------------------------------------------------------------------

    def _read_log(self) -> None:
        files = list_log(self.bucket)
        self._files = {(file.first, file.last): file for file in files}
        wanted = covering(files, self.mirror.number)
        found = self.bucket.each(lambda file: get_file(self.bucket, file), wanted)
        # one after the other: what they hold may be many times as long
        for file, data in zip(wanted, found, strict=True):
            change = decode_file(data, f"{self.name}/{file.key}")
            self.mirror.apply(change, file.last, whole=file.first == 1)

    def _read_other(self, file: LogFile) -> None:
        """Read the transaction that somebody else has put where ours was to stand."""
        try:
            data = get_file(self.bucket, file)
        except RemoteFileGone:
            self.look()
        else:
            self._know(file._replace(bytes=len(data)), decode_file(data, f"{self.name}/{file.key}"))
            self._bring_indexes()

    def _know(self, file: LogFile, change: Change) -> None:
        self._files[file.first, file.last] = file
        self.mirror.apply(change, file.last)
        self.mirror.refresh()

    def _bring_indexes(self) -> None:
        """Copy the indexes that are not here yet; what a lost one told of counts as lost: a push sends it again."""
        lacking = self.mirror.lacking()
        found = self.bucket.each(self._find_index, lacking)
        for name, data in zip(lacking, found, strict=True):
            if data is None:
                log.warning("remote '%s' has lost index '%s'; 'acc fsck --remote' says more", self.name, name)
            else:
                self.mirror.keep_index(name, data)
        self.mirror.refresh()

    def _find_index(self, name: str) -> bytes | None:
        return self.bucket.find(index_key(name), most_bytes=_MOST_INDEX_BYTES)

    def _keep_log_short(self) -> None:
        """Write one file in place of many, when so many have come that a new clone would read them one by one."""
        if len(self._files) <= MANY_FILES:
            return
        try:
            self._shorten_log()
        except (CorruptRemote, RemoteDenied, RemoteUnreachable, FileNotFoundError) as err:
            # what was to be committed is; and the next one who commits tries that, too
            log.info("remote '%s': its log is not shortened: %s", self.name, err)

    def _shorten_log(self) -> None:
        try:
            chain = covering(self._files.values(), 0)
        except CorruptRemote:
            # another process of this machine has read files that this one has not seen
            self._files = {(file.first, file.last): file for file in list_log(self.bucket)}
            chain = covering(self._files.values(), 0)
        if len(chain) <= MANY_FILES:
            return
        chosen = worth_merging(chain)
        changes = [*self.bucket.each(lambda file: read_file(self.bucket, file), chosen)]
        file = LogFile(chosen[0].first, chosen[-1].last)
        data = encode_file(merged(changes, from_the_start=file.first == 1))
        self.bucket.put(file.key, data)
        self._files[file.first, file.last] = file._replace(bytes=len(data))


def _encode_format(uuid: str) -> bytes:
    return dumps({"needs": [], "uuid": uuid, "version": _VERSION}) + b"\n"


def _read_format(data: bytes, name: str) -> str:
    """Return the uuid that a format file tells."""
    try:
        told = loads(data.rstrip(b"\n"))
        if not isinstance(told, dict) or not isinstance(told["needs"], list):
            raise ValueError("it is no mapping")
        version, uuid, needs = told["version"], str(UUID(str(told["uuid"]))), told["needs"]
    except (NotCanonical, ValueError, KeyError) as err:
        raise NotARemote(f"'{name}/{FORMAT}' is no format file of a remote of acc") from err
    if version != _VERSION or needs:
        what = f"needs {', '.join(map(str, needs)):.80}" if needs else f"has version {version!s:.80}"
        raise UnknownFormat(f"remote '{name}' {what}, which this acc does not know", hint="use a newer acc")
    return uuid
