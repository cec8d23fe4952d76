"""HTTP as all sessions of a handler share it: one connection pool, one TLS context, no cookies, no redirects.

Must not know what is said over it. Invariants: a body is never held beyond its limit, compressed or not; whether a
request can have left this machine is told by the exception (`NotSent`, `MaybeSent`). aiohttp and httpx are imported
when first needed.

Requests are made by aiohttp; httpx gives the URLs, and the system's certificates as the rest of the package uses them.
"""

from __future__ import annotations

import asyncio
import zlib
from time import monotonic, time

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import aiohttp
    import httpx
    from multidict import CIMultiDict
    from yarl import URL

    from rtfs.capabilities.sessions.handler import Credential

_QUIET_SECONDS = 0.05
"""After a pause this long the loop first gets a chance to notice that a server closed its connections meanwhile: it
is impossible to say whether a request sent over a closed connection was lost or performed."""

KEEPALIVE_SECONDS = 4.0
"""Below the five seconds after which common servers close an idle connection: a request sent into that moment is lost
without anyone knowing whether it was read."""


def header_fields(pairs: Iterable[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """Header fields to send; a name may be there several times, whatever its case."""
    from multidict import CIMultiDict

    return CIMultiDict([(name.decode("ascii"), value.decode("latin-1")) for name, value in pairs])


class Response:
    """A response whose body is unread. fields: the header fields, names in lower case. content: aiohttp's stream."""

    __slots__ = ("_response", "content", "fields", "status_code")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status_code = response.status
        self.fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers}
        self.content = response.content

    async def aclose(self) -> None:
        """As `close`."""
        try:
            await self._response.__aexit__(None, None, None)
        except Exception:
            pass


class WebClient:
    """connect_seconds: for a TCP and TLS connection. Bound to the loop of the first request."""

    def __init__(self, connect_seconds: float = 10.0) -> None:
        self._clients: dict[bool, aiohttp.ClientSession] = {}
        self._urls: dict[int, tuple[httpx.URL, URL]] = {}
        self._unsent: tuple[type[BaseException], ...] = ()
        self._connect_seconds = connect_seconds
        self._broken: tuple[type[BaseException], ...] = ()
        self._last = monotonic()

    def _client(self, secure: bool) -> aiohttp.ClientSession:
        found = self._clients.get(secure)
        if found is None:
            import aiohttp

            self._unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
            self._broken = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
            context: Any = False
            if secure:  # loading the system's certificates takes 20 ms, which a loopback server should not cost
                import httpx

                context = httpx.create_ssl_context()
            found = self._clients[secure] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=context),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(sock_connect=self._connect_seconds),
                auto_decompress=False,
            )
        return found

    def _url(self, url: httpx.URL) -> URL:
        """The URL as aiohttp takes it; a session uses the same object for all of its requests."""
        known = self._urls.get(id(url))
        if known is None:
            from yarl import URL

            if len(self._urls) > 1000:
                self._urls.clear()
            known = self._urls[id(url)] = url, URL(str(url))
        return known[1]

    async def send(self, method: str, url: httpx.URL, headers: CIMultiDict[str], body: bytes = b"") -> Response:
        """Send a request, answer the response with its body unread; close it with `close`.

        Raises NotSent where no connection could be made, MaybeSent where it broke afterwards.
        """
        client = self._client(url.scheme == "https")
        if monotonic() - self._last > _QUIET_SECONDS:
            for _ in range(3):
                await asyncio.sleep(0)
        try:
            response = await client.request(
                method, self._url(url), headers=headers, data=body or None, allow_redirects=False, compress=False
            )
        except self._broken as error:
            raise self.failure(error, url) from error
        self._last = monotonic()
        return Response(response)

    def failure(self, error: BaseException, url: httpx.URL) -> NotSent | MaybeSent:
        """The meaning of a failed request."""
        if isinstance(error, self._unsent):
            reason = getattr(error, "os_error", None)
            text = getattr(reason, "strerror", None) or str(reason or error) or type(error).__name__
            text, hint = _unsent(reason, text)
            message = f"cannot connect to {origin(url)}: {text}"
            return NotSent(SessionError(message, code="session/unavailable", hint=hint))
        return MaybeSent(
            SessionError(f"the connection to {origin(url)} broke before the answer", code="session/unavailable")
        )

    async def aclose(self) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()


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


async def close(response: Response) -> None:
    """Let go of a response: its connection is used again if the body was read to its end, else dropped."""
    await response.aclose()


class Body:
    """The body of a response, decompressed, piece by piece, never more than `limit` bytes in all."""

    __slots__ = ("_content", "_inflate", "_left", "_limit")

    def __init__(self, response: Response, limit: int) -> None:
        encoding = response.fields.get("content-encoding", "").lower()
        self._inflate = None
        if encoding and encoding != "identity":
            if encoding not in ("gzip", "x-gzip", "deflate"):
                raise SessionError(f"the server answers in an encoding that was not asked for ({encoding[:40]!r})")
            self._inflate = zlib.decompressobj(15 + 32)
        self._limit = self._left = limit
        self._content = response.content

    async def next(self) -> bytes:
        """The next piece, b"" at the end. Raises SessionError (`session/too-large`; `session/protocol` for damaged
        compression), and what the transport raises."""
        while True:
            piece = await self._content.readany()
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
