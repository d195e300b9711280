"""What the server does with those who ask oddly, or not at all."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest


@pytest.mark.parametrize("page", ["//[", "http://[::1", "%00", "/watch", "/static/board.css"])
def test_what_is_no_page_is_not_followed(flights_board, page):
    assert flights_board.ask(f"/watch?page={page}").status == 404


def test_who_asks_only_for_the_head_of_what_changes_has_it_at_once(flights_board):
    answer = flights_board.ask("/watch?page=/live", method="HEAD")
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")


@pytest.mark.slow
def test_who_asks_nothing_is_not_waited_for_long(flights_board):
    where = urlsplit(flights_board.url)
    whole = f"GET /static/board.css HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode()
    with ExitStack() as stack:
        for begun in (b"", b"GET /jobs HT", whole[:-2] + b"X: ", whole + b"GET /"):
            connection = socket.create_connection((where.hostname, where.port), timeout=40)
            stack.callback(connection.close)
            connection.sendall(begun)
            while connection.recv(1 << 16):
                pass  # it ends by itself
