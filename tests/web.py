"""A web server on this machine, for tests."""

import os
import threading
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LONG_AGO = 1_000_000_000


class Web:
    """A server of a folder, which notes what is fetched, and does something before it answers with a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.headers: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.fetched: list[str] = []
        self.before_file: Callable[[], object] = lambda: None
        web = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args: object) -> None:
                super().__init__(*args, directory=str(folder))

            def do_GET(self) -> None:
                web.fetched.append(self.path)
                web.before_file()
                super().do_GET()

            def send_header(self, keyword: str, value: str) -> None:
                if keyword not in web.hidden:
                    super().send_header(keyword, value)

            def end_headers(self) -> None:
                for name, value in web.headers.items():
                    self.send_header(name, value)
                super().end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def write(self, name: str, data: bytes, seconds: int = LONG_AGO) -> str:
        """Write a file that was last changed then, and return its URL."""
        (self.folder / name).write_bytes(data)
        os.utime(self.folder / name, (seconds, seconds))
        return f"{self.url}/{name}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
