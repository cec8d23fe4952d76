"""A `WebClient` that sends a token along.

Must not know what is said over HTTP, nor where tokens come from. Invariants: a token goes to the origin of its server
only; a request is sent once more only after a 401, which says that the server has not acted on it.

Source: RFC 6750 (2.1); MCP specification, basic/authorization.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.wire.http import origin, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    import httpx

    from rtfs.capabilities.sessions.handler import MaybeSent, NotSent
    from rtfs.capabilities.sessions.oauth.token_sources import Tokens, TokenSource
    from rtfs.capabilities.sessions.wire.connection import Response
    from rtfs.capabilities.sessions.wire.http import Headers, WebClient


class Authorized:
    """client: that sends. url: of the server. source: of its tokens."""

    def __init__(self, client: WebClient, url: httpx.URL, source: TokenSource) -> None:
        self.client = client
        self.source = source
        self._url = url
        self._last: tuple[Headers, str, Headers] | None = None

    @property
    def tokens(self) -> Tokens:
        """The tokens to send, as a credential that redacts itself."""
        return self.source.tokens

    def failure(self, error: BaseException, url: httpx.URL) -> NotSent | MaybeSent:
        """As `WebClient.failure`."""
        return self.client.failure(error, url)

    async def send(self, method: str, url: httpx.URL, headers: Headers, body: bytes = b"") -> Response:
        """As `WebClient.send`; after a 401 once more, if there is another token. Raises what the source raises, too."""
        if url is not self._url and origin(url) != origin(self._url):
            return await self.client.send(method, url, headers, body)
        used = await self.source.token()
        response = await self.client.send(method, url, self._with(headers, used), body)
        if response.status_code != 401:
            return response
        try:
            other = await self.source.other(used)
        except BaseException:
            response.close()
            raise
        if other in ("", used):
            return response
        response.close()
        return await self.client.send(method, url, self._with(headers, other), body)

    def _with(self, headers: Headers, token: str) -> Headers:
        """The headers with the token; most requests of a session share theirs, so the last made are kept."""
        if not token:
            return headers
        if self._last is None or self._last[0] is not headers or self._last[1] != token:
            sent = replaced(headers, [(b"Authorization", f"Bearer {token}".encode("ascii"))])
            self._last = (headers, token, sent)
        return self._last[2]
