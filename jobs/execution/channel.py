"""Records between two processes, over a stream socket."""

import pickle
import socket
import struct
from typing import Any, Final

_HEADER: Final = struct.Struct("<Q")


class Channel:
    """One end of a stream socket that records are sent over."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, for `select`."""
        return self._connection.fileno()

    def send(self, record: object) -> None:
        """Send one record."""
        data = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
        self._connection.sendall(_HEADER.pack(len(data)) + data)

    def receive(self) -> Any:
        """Return the next record, waiting for it; raise EOFError when the other end is gone."""
        while True:
            record = self.take()
            if record is not None:
                return record
            if not self.fill():
                raise EOFError("the other end of the channel is gone")

    def fill(self) -> bool:
        """Read what has arrived, waiting for something; return whether there was anything before the end."""
        try:
            data = self._connection.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self._buffer += data
        return bool(data)

    def take(self) -> Any:
        """Return a record that has arrived whole, or None."""
        if len(self._buffer) < _HEADER.size:
            return None
        (length,) = _HEADER.unpack_from(self._buffer)
        end = _HEADER.size + length
        if len(self._buffer) < end:
            return None
        record = pickle.loads(memoryview(self._buffer)[_HEADER.size : end])
        del self._buffer[:end]
        return record

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
