"""What keeps the page to itself: response headers, whom a local page answers, passwords, and a word of warning.

The policy is the second wall; the first is that text is escaped (`render`). gradio's own code needs
`unsafe-eval` and inline scripts.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from rag.errors import SettingsError

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
MAX_UPLOAD = "25mb"
REFUSED = "This page answers its own machine only: open it as http://localhost or http://127.0.0.1, with its port.\n"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def middleware(host: str) -> list[Middleware]:
    """What every request to a page that listens on `host` passes through, the outermost first."""
    return [Middleware(Headers), *([Middleware(LocalOnly)] if is_local(host) else [])]


class Headers:
    """ASGI middleware that puts `HEADERS` on every response; streams pass through unbuffered."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


class LocalOnly:
    """ASGI middleware for a page of this machine: refuses what a browser sends for a page from elsewhere.

    Such a page may have a name of its own point to this machine (DNS rebinding), which shows in `Host`, or
    send to our address, which shows in `Origin`. What is no browser sends no `Origin`, and need not.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] in {"http", "websocket"}:
            given = RequestHeaders(scope=scope)
            urls = [f"//{given.get('host', '')}", *given.getlist("origin")]
            if not all(is_local(_host_of(url)) for url in urls):
                await PlainTextResponse(REFUSED, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # half an IPv6 address
        return ""


def credentials(given: Sequence[str]) -> list[tuple[str, str]]:
    """Read `USER:PASSWORD`, or `@FILE` with one of these a line. Raises SettingsError."""
    lines: list[str] = []
    for text in given:
        if not text.startswith("@"):
            lines.append(text)
            continue
        try:
            lines += [line for line in Path(text[1:]).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--auth {text}: the file cannot be read") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        user, colon, password = line.strip().partition(":")
        if not (user and colon and password):
            raise SettingsError(f"--auth: entry {number} is not USER:PASSWORD")
        pairs.append((user, password))
    return pairs


def gate(pairs: Sequence[tuple[str, str]]) -> Callable[[str, str], bool] | None:
    """A check of user and password in constant time; None where nobody is kept out."""
    if not pairs:
        return None

    def passes(user: str, password: str) -> bool:
        found = [
            secrets.compare_digest(user.encode(), name.encode())
            & secrets.compare_digest(password.encode(), secret.encode())
            for name, secret in pairs
        ]
        return any(found)

    return passes


def is_local(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def warning(host: str, *, has_password: bool) -> str:
    """What to tell who serves the page on `host`; empty where there is nothing to tell."""
    if is_local(host):
        return ""
    known = "knows a password" if has_password else "can reach it (no --auth is set)"
    return (
        f"warning: the page on {host} can be reached from other machines, unencrypted: whoever {known} can read "
        "the library, add papers to it and remove them"
    )
