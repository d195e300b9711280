"""The end of a build that publishes: what is left is sent while the user can see it, and can leave it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from porcelain import term
from porcelain.watching.ticker import Ticker

if TYPE_CHECKING:
    from jobs.remote.outbox import Outbox
    from jobs.remote.sharing import Sharing


@contextmanager
def publishing(sharing: "Sharing | None") -> Iterator[None]:
    """Publish what the block has built and is not published yet, however it ends; who is interrupted leaves that."""
    try:
        yield
    except KeyboardInterrupt:
        _leave(sharing)
        raise
    except BaseException:
        _publish(sharing)
        raise
    else:
        _publish(sharing)


def _publish(sharing: "Sharing | None") -> None:
    if sharing is None:
        return
    try:
        for outbox in sharing.outboxes:
            with Ticker(f"publishing at {outbox.name}", "job") as ticker:
                sharing.finish(outbox, ticker.show)
            _report(outbox)
    except KeyboardInterrupt:
        _leave(sharing)
        raise


def _leave(sharing: "Sharing | None") -> None:
    for outbox in sharing.outboxes if sharing else ():
        outbox.give_up()
        _report(outbox)


def _report(outbox: "Outbox") -> None:
    done = outbox.published
    if done.jobs:
        what = f"{term.count(done.jobs, 'job')} published, {term.size(done.bytes)}"
        term.line(f"{outbox.name}  {what}, {term.count(done.requests, 'request')}")
    if outbox.left:
        them = "it" if outbox.left == 1 else "them"
        term.note(
            f"{term.count(outbox.left, 'job')} not published at '{outbox.name}'; 'acc push {outbox.name}' sends {them}"
        )
