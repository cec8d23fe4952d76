"""HTTP as all sessions of a handler share it: one connection pool, one TLS context, no cookies, no redirects.

Must not know what is said over it. Invariants: a body is never held beyond its limit, compressed or not; whether a
request can have left this machine is told by the exception (`NotSent`, `MaybeSent`). httpx (for URLs and certificates)
and httptools are imported when first needed.
"""

from __future__ import annotations

import asyncio
import zlib
from time import monotonic, time

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.handler import Credential
    from rtfs.capabilities.sessions.wire.connection import Connection, Response

    Headers = list[tuple[bytes, bytes]]
    _Place = tuple[bool, str, int]  # secure, host, port

_QUIET_SECONDS = 0.05
"""After a pause this long the loop first gets a chance to notice that a server closed its connections meanwhile: it
is impossible to say whether a request sent over a closed connection was lost or performed."""

KEEPALIVE_SECONDS = 4.0
"""Below the five seconds after which common servers close an idle connection: a request sent into that moment is lost
without anyone knowing whether it was read."""

_USUAL = ((b"User-Agent", b"rtfs"), (b"Accept", b"*/*"))
"""Header fields of a request that has none of these names."""
_UNSENDABLE = frozenset(b"\r\n\0")
_REPEATABLE = frozenset(("GET", "DELETE"))
"""Methods that may be sent once more where a connection turns out to have been closed. Source: RFC 9110, 9.2.2."""
_HEADS = 64
"""Heads of requests that are kept."""


class WebClient:
    """connect_seconds: for a TCP and TLS connection. Bound to the loop of the first request."""

    def __init__(self, connect_seconds: float = 10.0) -> None:
        self._connect_seconds = connect_seconds
        self._idle: dict[_Place, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._heads: dict[tuple[int, int, str], tuple[httpx.URL, Headers, bytes]] = {}
        self._context: Any = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._last = monotonic()

    async def send(self, method: str, url: httpx.URL, headers: Headers, body: bytes = b"") -> Response:
        """Send a request, answer the response with its body unread, to be closed. headers: not changed
        afterwards, for the same list is rendered once.

        Raises NotSent where no connection could be made, MaybeSent where it broke afterwards.
        """
        from rtfs.capabilities.sessions.wire.connection import Broken

        if monotonic() - self._last > _QUIET_SECONDS:
            for _ in range(3):
                await asyncio.sleep(0)
        place = (url.scheme == "https", url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80))
        head = self._head(method, url, headers)
        data = b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body) if body else head + b"\r\n"
        connection = self._idle_at(place)
        repeats = connection is not None and method in _REPEATABLE
        while True:
            if connection is None:
                connection = await self._connect(place, url)
            try:
                response = await connection.request(data)
            except Broken as error:
                if not repeats:
                    raise self.failure(error, url) from error
                connection, repeats = None, False
            else:
                self._last = monotonic()
                return response

    def _head(self, method: str, url: httpx.URL, headers: Headers) -> bytes:
        """The head of a request, but for the length of its body and its end."""
        key = (id(url), id(headers), method)
        known = self._heads.get(key)
        if known is None:
            if len(self._heads) >= _HEADS:
                self._heads.clear()
            known = self._heads[key] = url, headers, head_of(method, url, headers)
        return known[2]

    def _idle_at(self, place: _Place) -> Connection | None:
        """The connection that was used last, of those that can be used again."""
        idle = self._idle.get(place)
        while idle:
            found = idle.pop()
            if found.usable and monotonic() - found.idle_since < KEEPALIVE_SECONDS:
                return found
            found.abort()
        return None

    async def _connect(self, place: _Place, url: httpx.URL) -> Connection:
        """A new connection. Raises NotSent."""
        from rtfs.capabilities.sessions.wire.connection import Connection

        secure, host, port = place
        loop = asyncio.get_running_loop()
        more: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop):  # others do not know it
            more["happy_eyeballs_delay"] = 0.25
        if secure:
            if self._context is None:  # the system's certificates take 20 ms to load
                import httpx

                self._context = httpx.create_ssl_context()
            more["ssl"], more["server_hostname"] = self._context, host
        made = Connection(lambda connection: self._released(place, connection), self._open.discard)
        try:
            async with asyncio.timeout(self._connect_seconds):
                await loop.create_connection(lambda: made, host, port, **more)
        except TimeoutError as error:
            raise _unconnected(url, None, f"no connection within {self._connect_seconds:g} seconds") from error
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise _unconnected(url, error, text) from error
        self._open.add(made)
        return made

    def _released(self, place: _Place, connection: Connection) -> None:
        self._idle.setdefault(place, []).append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(KEEPALIVE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long."""
        now = monotonic()
        for place, idle in list(self._idle.items()):
            kept = [one for one in idle if one.usable and now - one.idle_since < KEEPALIVE_SECONDS]
            for one in idle:
                if one not in kept:
                    one.abort()
            if kept:
                self._idle[place] = kept
            else:
                del self._idle[place]
        self._sweeper = (
            asyncio.get_running_loop().call_later(KEEPALIVE_SECONDS / 2, self._sweep) if self._idle else None
        )

    def failure(self, error: BaseException, url: httpx.URL) -> MaybeSent:
        """The meaning of a request that failed once there was a connection."""
        return MaybeSent(
            SessionError(f"the connection to {origin(url)} broke before the answer", code="session/unavailable")
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        for connection in list(self._open):
            connection.abort()
        for _ in range(3):  # for asyncio to close the sockets
            await asyncio.sleep(0)


def head_of(method: str, url: httpx.URL, headers: Headers) -> bytes:
    """The head of a request, but for its end. Raises ValueError for what no header can carry."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), url.raw_path), b"Host: " + url.netloc]
    names = {name.lower() for name, _ in headers}
    lines += [b"%s: %s" % field for field in _USUAL if field[0].lower() not in names]
    if url.userinfo and b"authorization" not in names:
        from base64 import b64encode

        lines.append(b"Authorization: Basic " + b64encode(f"{url.username}:{url.password}".encode()))
    lines += [b"%s: %s" % field for field in headers]
    if any(_UNSENDABLE.intersection(line) for line in lines):
        raise ValueError("a header holds a line break or a NUL")
    return b"\r\n".join(lines) + b"\r\n"


def replaced(headers: Headers, fields: Headers, *without: bytes) -> Headers:
    """Headers with these fields instead of those of the same names, and without those of some names (in lower
    case)."""
    gone = {*without, *(name.lower() for name, _ in fields)}
    return [field for field in headers if field[0].lower() not in gone] + fields


def _unconnected(url: httpx.URL, reason: object, text: str) -> NotSent:
    """No connection could be made."""
    text, hint = _unsent(reason, text)
    return NotSent(SessionError(f"cannot connect to {origin(url)}: {text}", code="session/unavailable", hint=hint))


def _unsent(reason: object, text: str) -> tuple[str, str]:
    """Why no connection could be made, and what to try."""
    from socket import gaierror

    if isinstance(reason, ConnectionRefusedError) or "Connect call failed" in text:
        hint = "start the server, or correct its address; `rtfs doctor` tries every configured one"
        return "connection refused", hint
    if isinstance(reason, gaierror) or "Name or service not known" in text:
        return "there is no such host", "is the address spelled correctly, and is this machine online?"
    return text, "is the server running, and can it be reached from here?"


def origin(url: httpx.URL) -> str:
    """Scheme, host and port, for messages: never user info, path or query."""
    port = f":{url.port}" if url.port is not None else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{port}"


class Body:
    """The body of a response, decompressed, piece by piece, never more than `limit` bytes in all."""

    __slots__ = ("_inflate", "_left", "_limit", "_response")

    def __init__(self, response: Response, limit: int) -> None:
        encoding = response.fields.get("content-encoding", "").lower()
        self._inflate = None
        if encoding and encoding != "identity":
            if encoding not in ("gzip", "x-gzip", "deflate"):
                raise SessionError(f"the server answers in an encoding that was not asked for ({encoding[:40]!r})")
            self._inflate = zlib.decompressobj(15 + 32)
        self._limit = self._left = limit
        self._response = response

    async def next(self) -> bytes:
        """The next piece, b"" at the end. Raises SessionError (`session/too-large`; `session/protocol` for damaged
        compression), and what the transport raises."""
        while True:
            piece = await self._response.next()
            if not piece:
                return b""
            if self._inflate is not None:
                try:
                    piece = self._inflate.decompress(piece, self._left + 1)
                except zlib.error as error:
                    raise SessionError("the server's compressed answer is damaged") from error
            self._left -= len(piece)
            if self._left < 0:
                raise too_large(self._limit)
            if piece:
                return piece


def too_large(limit: int) -> SessionError:
    """The error for an answer beyond its limit in bytes."""
    return SessionError(f"the server's answer is larger than {limit} bytes", code="session/too-large")


async def body_of(response: Response, limit: int) -> bytes:
    """The whole body. Raises as `Body.next` does; a declared length beyond the limit is refused before reading."""
    declared = response.fields.get("content-length", "")
    if declared.isdigit() and len(declared) < 20 and int(declared) > limit:
        raise too_large(limit)
    body = Body(response, limit)
    first = await body.next()
    if not first:
        return first
    parts = [first]
    while piece := await body.next():
        parts.append(piece)
    return first if len(parts) == 1 else b"".join(parts)


def retry_after(fields: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date (against the server's own clock, if it says).

    Source: RFC 9110, 10.2.3.
    """
    raw = fields.get("retry-after", "").strip()
    if not raw:
        return None
    if raw.isdigit() and len(raw) < 10:
        return float(raw)
    moment = _date(raw)
    if moment is None:
        return None
    now = _date(fields.get("date", ""))
    return max(0.0, moment - (time() if now is None else now))


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def unauthorized(
    fields: Mapping[str, str], server: str, credential: Credential | None, said: str = "", hint: str | None = None
) -> SessionError:
    """The error for a 401, named as such; the server's challenge is its data, the credential is never shown.

    Source: RFC 9110, 11.6.1; RFC 6750.
    """
    challenge = fields.get("www-authenticate", "")
    if credential is not None:
        challenge = credential.redact(challenge)
    if credential is None or not credential.value:
        message = f"{server} asks for a credential (401) and none was given{said}"
    else:
        source = f" from {credential.name}" if credential.name else ""
        message = f"{server} does not accept the credential{source} (401){said}"
        hint = credential.hint or "is the token current, and meant for this server?"
    challenge = one_line(challenge, 2000)
    data = Map([(Keyword("www-authenticate"), challenge)]) if challenge else None
    return SessionError(message, code="session/unauthorized", hint=hint, data=data)


def authorization(credential: Credential) -> str:
    """The Authorization header for a secret: as it is if it names a scheme, else as a bearer token.

    Raises SessionError (`session/credential`) for what cannot appear in a header; the secret is not shown.
    """
    value = credential.value.strip()
    if not value or not value.isascii() or not value.isprintable():
        name = credential.name or "the credential"
        raise SessionError(f"{name} is empty or holds characters that no header can carry", code="session/credential")
    return value if " " in value else f"Bearer {value}"
