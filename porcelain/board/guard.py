"""Who may ask the board, what may be asked, and what browsers may do with the answer.

The board is for the user's own browser. A page elsewhere must not read it: neither by a name of its own that it
points at this machine (DNS rebinding), nor in a frame, nor by a script that a job's file smuggles in.
"""

import hmac
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "acc-board"
PARAMETER: Final = "token"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; media-src 'self'; object-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # what a job made may have changed: ask again, and be told when it has not
    "Cache-Control": "no-cache",
}


class Guard:
    """An application that hands to another only what may be asked.

    Parameters
    ----------
    names
        Hosts by which the board may be called, in lower case, without ports; an address of a network always may when
        `any_address` says so.
    token
        What who asks must know; "": nothing.
    """

    def __init__(
        self, app: ASGIApp, *, names: Collection[str], token: str = "", any_address: bool = False
    ) -> None:
        self._app = app
        self._names = frozenset(names)
        self._token = token
        self._any_address = any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks websockets
        refusal = self._refusal(scope)
        app = self._app if refusal is None else refusal

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not handed on, or None."""
        headers = Headers(scope=scope)
        if not self._is_called(headers.get("host", "")):
            return PlainTextResponse(
                "this board does not go by that name; [board] names in acc.toml lists more\n", 421
            )
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("the board only reads\n", 405, {"Allow": "GET, HEAD"})
        if _is_part_of_a_page_elsewhere(headers):
            return PlainTextResponse("the board is no part of other pages\n", 403)
        if self._token:
            return self._without_token(scope, headers)
        return None

    def _is_called(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() in self._names:
            return True
        if not self._any_address:
            return False
        try:
            ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == PARAMETER), None)
        if given is not None and self._is_token(given):
            # from now on the cookie says it: an address with the token in it would be copied, and kept in histories
            rest = urlencode([pair for pair in query if pair[0] != PARAMETER])
            # one slash: "//host" would lead elsewhere
            path = "/" + quote(scope["path"].lstrip("/\\"))
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(_cookie_name(scope), self._token, httponly=True, samesite="strict")
            return answer
        cookies = cookie_parser(headers.get("cookie", ""))
        if self._is_token(cookies.get(_cookie_name(scope), "")) or self._is_bearer(headers):
            return None
        return PlainTextResponse(
            "this board wants the token that 'acc board' printed: http://.../?token=...\n", 403
        )

    def _is_bearer(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(given)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())


def _is_part_of_a_page_elsewhere(headers: Headers) -> bool:
    """Return whether a browser says that a page which is not the board's asks, but for a link that is followed.

    Such a page is shown nothing, but how long an answer takes, and whether there is one, would tell it what is here;
    and each costs something. Other ports of this machine are other sites here.
    """
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    is_followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not is_followed


def _cookie_name(scope: Scope) -> str:
    """Return a name for the cookie of this board: browsers send cookies to all ports of a host, and keep one a name."""
    server = scope.get("server")
    return f"{COOKIE}-{server[1]}" if server else COOKIE
