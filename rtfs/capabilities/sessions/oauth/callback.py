"""The loopback page to which a browser returns after a login.

Must not know what is requested. Invariants: it listens on 127.0.0.1 only, and only until it has its answer; a request
without the expected `state` is not an answer; a page repeats nothing from a request.

Source: RFC 8252 (7.3, 8.3), RFC 6749 (4.1.2, 10.12).
"""

from __future__ import annotations

import asyncio
from hmac import compare_digest

from rtfs.capabilities.sessions.oauth.endpoints import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

PATH = "/callback"
_REQUEST_SECONDS = 5.0
_LONGEST = 16 * 1024
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>rtfs</title>'
    "<body><p>{}</p><p>You can close this window.</p></body></html>"
)


class Callback:
    """An async context manager. state: the value that the answer must carry. redirect_uri: a fixed loopback address;
    without one, an address at a port that the system chooses."""

    def __init__(self, state: str, redirect_uri: str | None = None) -> None:
        self.uri = redirect_uri or ""
        self._state = state
        self._server: asyncio.Server | None = None
        self._answer: asyncio.Future[dict[str, str]] | None = None

    async def __aenter__(self) -> Callback:
        import httpx

        fixed = httpx.URL(self.uri) if self.uri else None
        self._path = fixed.path if fixed is not None else PATH
        self._answer = asyncio.get_running_loop().create_future()
        port = 0 if fixed is None else fixed.port or 80
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_LONGEST)
        except OSError as error:
            raise refused(f"cannot listen at 127.0.0.1:{port} for the end of the login: {error.strerror}") from None
        if fixed is None:
            port = self._server.sockets[0].getsockname()[1]
            self.uri = f"http://127.0.0.1:{port}{PATH}"
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)

    async def answer(self, seconds: float) -> dict[str, str]:
        """The parameters that the browser brought, once they carry the state. Raises SessionError `session/oauth`."""
        assert self._answer is not None
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            raise refused(f"the login was not completed within {seconds:g} seconds") from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, said = self._read(head.decode("latin-1"))
                body = _PAGE.format(said).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
                    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
                    "Content-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _read(self, head: str) -> tuple[str, str]:
        """The HTTP status and the text of the page that answer a request."""
        from urllib.parse import parse_qsl, urlsplit

        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        target = urlsplit(rest.partition(" ")[0])
        fields = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        if method != "GET" or target.path != self._path or fields.get("host") not in self._hosts:
            return "404 Not Found", "There is nothing here."
        pairs = parse_qsl(target.query, keep_blank_values=True, max_num_fields=50)
        found = dict(pairs)
        once = len(found) == len(pairs)
        if not once or not compare_digest(found.get("state", "").encode(), self._state.encode()):
            return "400 Bad Request", "This does not answer the current login."
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(found)
        return "200 OK", "The answer has reached the terminal, which says how the login ended."
