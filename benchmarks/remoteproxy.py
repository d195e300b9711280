"""A proxy in front of a server that counts requests by method, and the bytes that go each way."""

import socket
import threading
from collections import Counter

PIECE_BYTES = 1 << 18


class CountingProxy:
    """Listens on loopback and hands all on to the server at `port`, byte for byte, as long as its `with` block.

    Only what clients send is taken apart, just as far as to see where a request ends. Nobody should take the time of
    what goes through it.

    Attributes
    ----------
    endpoint : str
        The URL that clients are given.
    requests : list of str
        The method and target of each request so far.
    sent_bytes, received_bytes : int
        What the clients have sent and received so far, headers and all.
    """

    def __init__(self, port):
        self._port = port
        self._count = threading.Lock()
        self.forget()

    def __enter__(self):
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *error):
        self._listening.shutdown(socket.SHUT_RDWR)  # close() alone would leave a thread in accept()
        self._listening.close()
        self._accepting.join()

    def forget(self):
        """Begin to count anew."""
        self.requests = []
        self.sent_bytes = self.received_bytes = 0

    def methods(self):
        """Return how many requests there were of each method, in words."""
        counts = Counter(request.split()[0] for request in self.requests)
        return ", ".join(f"{count:,} {method}" for method, count in counts.most_common())

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # the block has ended
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self._answer, args=(server, client), daemon=True)
                back.start()
                with client.makefile("rb", PIECE_BYTES) as given:
                    while self._forward_request(given, server):
                        pass
                server.shutdown(socket.SHUT_WR)
                back.join()
        except OSError:
            pass  # one of the two has gone, which the other hears by the end of its connection

    def _answer(self, server, client):
        try:
            while piece := server.recv(PIECE_BYTES):
                client.sendall(piece)
                with self._count:
                    self.received_bytes += len(piece)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _forward_request(self, given, server):
        """Hand on one request; return whether there was one."""
        lines = _lines(given)
        if not lines:
            return False
        with self._count:
            self.requests.append(lines[0].decode("latin-1").rpartition(" ")[0])
        self._send(server, b"".join([*lines, b"\r\n"]))
        fields = (line.decode("latin-1").partition(":") for line in lines[1:])
        values = {name.lower(): value.strip() for name, _, value in fields}
        if values.get("transfer-encoding", "").lower() == "chunked":
            self._forward_chunks(given, server)
        else:
            self._forward(given, server, int(values.get("content-length", "0")))
        return True

    def _forward_chunks(self, given, server):
        size = None
        while size != 0:
            head = given.readline()
            size = int(head.split(b";")[0], 16)
            self._send(server, head)
            self._forward(given, server, size and size + 2)
        self._send(server, b"".join([*_lines(given), b"\r\n"]))  # trailers

    def _forward(self, given, server, count):
        while count and (piece := given.read1(min(count, PIECE_BYTES))):
            self._send(server, piece)
            count -= len(piece)

    def _send(self, server, data):
        server.sendall(data)
        with self._count:
            self.sent_bytes += len(data)


def _lines(given):
    """Return the lines before the next empty one, or before the end."""
    lines = []
    while (line := given.readline()) not in {b"", b"\r\n"}:
        lines.append(line)
    return lines
