"""Pages that are shown anew as things change: the board renders them again and sends what is different."""

import json
from collections.abc import AsyncIterator, Callable
from threading import Event
from typing import Final

import anyio
from anyio.to_thread import run_sync

INTERVAL_SECONDS: Final = 0.5
# so often something is sent when nothing changes: a connection that is gone is only noticed so
_IDLE_SECONDS: Final = 10.0


async def changes(render: Callable[[], str], ending: Event) -> AsyncIterator[str]:
    """Yield what `render` returns as server-sent events: at first, and whenever it is different.

    Parameters
    ----------
    render
        Called twice a second in a thread.
    ending
        Set when the board is about to end, and this with it.
    """
    shown, idle = None, 0.0
    while not ending.is_set():
        now = await run_sync(render)
        if now != shown:
            shown, idle = now, 0.0
            yield f"event: shown\ndata: {json.dumps(now)}\n\n"
        elif idle >= _IDLE_SECONDS:
            idle = 0.0
            yield ": nothing new\n\n"
        await anyio.sleep(INTERVAL_SECONDS)
        idle += INTERVAL_SECONDS
