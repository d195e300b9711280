"""Mend what fsck found at a remote with what this machine has: objects, indexes, and the log itself."""

from dataclasses import dataclass, field, replace
from typing import Final

from cas.graph import is_node
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.deletion import again
from cas.remote.indexes import dropping, keeping
from cas.remote.keys import FORMAT, INDEXES, index_key
from cas.remote.log import FOLDER as LOG
from cas.remote.log import LogFile, encode_file
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.transfer.sending import Sending
from cas.remote.upkeep.fsck import Progress, RemoteReport, check

# whoever is about to commit what was drawn so long ago looks first, so he takes no number for a free one
_OLD_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Mended:
    """What a repair of a remote found and did.

    Attributes
    ----------
    report : RemoteReport
        What was wrong.
    sent : list of ObjectId
        Objects that were sent again.
    files : list of str
        Indexes, files of the log and the format file, those that were written again, by key.
    lost : list of ObjectId
        Objects that the local store lacks too; the remote tells nothing of them any more, so that whoever has them
        sends them.
    left : list of str
        What could not be mended, by key: try again later.
    """

    report: RemoteReport
    sent: list[ObjectId] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    lost: list[ObjectId] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def repair(
    local: LocalStore, remote: Remote, *, full: bool = False, progress: Progress | None = None
) -> Mended:
    """Send again from the local store what a remote has lost, or has damaged.

    Parameters
    ----------
    full, progress
        As of `cas.remote.upkeep.fsck.check`.
    """
    restored = [FORMAT] if remote.restore() else []
    report = check(local, remote, full=full, progress=progress)
    mended = Mended(report, files=restored)
    if report.is_sound:
        return mended
    now = remote.bucket.now()
    _mend_log(remote, mended, now)
    _mend_indexes(remote, mended)
    again(remote, lambda: _mend_objects(local.alone(), remote, mended, int(now)))
    mended.lost = sorted(report.damaged - report.here)
    return mended


def _mend_log(remote: Remote, mended: Mended, now: float) -> None:
    """Write one file that tells all that is known here, in place of what is missing of the log, or damaged."""
    bad = [key for key in mended.report.bad_files if key.startswith(LOG)]
    if not bad:
        return
    number = remote.mirror.number
    file = LogFile(1, number)
    remote.bucket.put(file.key, encode_file(remote.mirror.as_change()))
    listed = {each.key: each for each in remote.bucket.list(LOG)}
    for key in bad:
        # a damaged one stands in the way of who reads one by one
        if key in listed and key != file.key:
            if now - listed[key].modified < _OLD_SECONDS:
                mended.left.append(key)
                continue
            remote.bucket.delete([key])
    mended.files.append(file.key)
    remote.look()


def _mend_indexes(remote: Remote, mended: Mended) -> None:
    for name in remote.mirror.indexes():
        key = index_key(name)
        is_lost = key in mended.report.bad_files and name in remote.mirror.opened()
        data = remote.mirror.find_index(name) if is_lost else None
        if data is not None:
            remote.bucket.put(key, data)
            mended.files.append(key)


def _mend_objects(local: LocalStore, remote: Remote, mended: Mended, since: int) -> None:
    """Send what is here, and have the remote tell nothing of the rest, in one transaction."""
    report = mended.report
    gone = {key for key in report.bad_files if key.startswith(INDEXES)} - {*mended.files}

    def is_kept(key: str, digest: bytes) -> bool:
        return key not in report.bad_files and (key, ObjectId(digest.hex())) not in report.bad_objects

    with Sending(remote) as sending:
        for oid in sorted(report.here):
            sending.add_stored(local, oid, is_node=is_node(local, oid))
        new = sending.send("repair")

        def draw() -> Change:
            rest = keeping(remote, is_kept, "repair")
            lost = dict.fromkeys(name for name in remote.mirror.indexes() if index_key(name) in gone)
            change = replace(
                rest,
                indexes={**lost, **rest.indexes, **new.indexes},
                objects={**rest.objects, **new.objects},
            )
            return dropping(remote.mirror, change, since)

        remote.commit(draw)
    mended.sent = sorted(report.here)
