"""Requests to authorization servers: small JSON over https, to permitted addresses only.

Must not know what is asked for. Invariants: nothing is sent to an endpoint that is not https (plain http on the
loopback only for servers there); a host that is not configured is connected to only at public addresses, or at such as
the server itself is at, and the address that was checked is the one that is connected to; no redirect is followed, no
cookie kept, no more than `LARGEST` bytes read.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import NotSent, SessionError, one_line
from rtfs.capabilities.sessions.wire.addresses import METADATA, canonical, is_public, resolve, send_pinned
from rtfs.capabilities.sessions.wire.http import origin
from rtfs.capabilities.sessions.wire.json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    import httpx

LARGEST = 256 * 1024
SECONDS = 15.0
"""The time an endpoint has to answer."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def refused(message: str, hint: str | None = None) -> SessionError:
    """The error for what an authorization server, or a server's word of it, gets wrong."""
    return SessionError(message, code="session/oauth", hint=hint)


class Answer:
    """status: of HTTP. fields: the JSON object that the body is, {} for anything else."""

    __slots__ = ("fields", "status")

    def __init__(self, status: int, fields: dict[str, Any]) -> None:
        self.status = status
        self.fields = fields

    def said(self) -> str:
        """The error in the body, in one line for people; else the status."""
        text = self.fields.get("error_description") or self.fields.get("error")
        return one_line(text, 200) if isinstance(text, str) and text else f"status {self.status}"


class Endpoints:
    """home: the server that tokens are for. issuer: the authorization server that was configured, if any; both of
    them are connected to wherever they are. lookup: finds the addresses of a name."""

    def __init__(
        self,
        home: httpx.URL,
        issuer: str | None = None,
        lookup: Callable[[str, int], Awaitable[list[str]]] = resolve,
    ) -> None:
        self.home = home
        self._lookup = lookup
        self._configured = {home.host}
        if issuer:
            self._configured.add(self.checked(issuer, "the configured issuer").host)
        self._places: frozenset[str] | None = None

    def checked(self, where: Any, what: str) -> httpx.URL:
        """The URL of an endpoint. Raises SessionError `session/oauth` for one that must not be used."""
        import httpx

        try:
            url = httpx.URL(where) if isinstance(where, str) else None
        except httpx.InvalidURL:
            url = None
        if url is None or not url.host or url.userinfo or url.fragment:
            raise refused(f"{what} is not a usable URL")
        local = url.scheme == "http" and url.host in _LOOPBACK and self.home.host in _LOOPBACK
        if url.scheme != "https" and not local:
            raise refused(f"{what} ({one_line(origin(url), 80)}) is not reached by https")
        return url

    async def ask(
        self,
        method: str,
        where: Any,
        what: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        authorization: str | None = None,
    ) -> Answer:
        """Ask an endpoint. what: its name in messages. Raises SessionError for one that must not be asked or whose
        answer is too large, NotSent (of the call that all this is for) where it cannot be reached."""
        import asyncio

        import httpx

        url = self.checked(where, what)
        headers = {"Accept": "application/json", "User-Agent": "rtfs"}
        if authorization is not None:
            headers["Authorization"] = authorization
        context = httpx.create_ssl_context() if url.scheme == "https" else False
        try:
            async with asyncio.timeout(SECONDS):
                addresses = await self._addresses(url, what)
                proxied = url.scheme == "https" and not addresses
                client = httpx.AsyncClient(verify=context, timeout=SECONDS, follow_redirects=False, trust_env=proxied)
                async with client:
                    request = client.build_request(method, url, headers=headers, data=form, json=json)
                    response = await send_pinned(client, request, addresses)
                    try:
                        return Answer(response.status_code, await _object(response, what))
                    finally:
                        await response.aclose()
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            why = one_line(str(error), 120) or type(error).__name__
            message = f"{what} at {origin(url)} cannot be reached: {why}"
            raise NotSent(SessionError(message, code="session/unavailable")) from error

    async def _addresses(self, url: httpx.URL, what: str) -> list[str]:
        """The addresses to connect to; [] to connect by name."""
        if url.host in self._configured:
            return []
        found = await self._find(url)
        for address in found:
            plain = canonical(address)
            if plain in METADATA or not (is_public(address) or _place(plain) in await self._own_places()):
                raise refused(
                    f"{what} is at {plain}, which is not a public address",
                    "if that is meant, name the authorization server with oauth.issuer",
                )
        return found

    async def _own_places(self) -> frozenset[str]:
        """The kinds of non-public addresses that the server itself is at."""
        if self._places is None:
            found = [canonical(address) for address in await self._find(self.home)]
            self._places = frozenset(_place(one) for one in found if not is_public(one))
        return self._places

    async def _find(self, url: httpx.URL) -> list[str]:
        host = url.raw_host.decode("ascii").strip("[]")
        found = await self._lookup(host, url.port or (443 if url.scheme == "https" else 80))
        if not found:
            raise OSError(f"{host} has no address")
        return found


def _place(address: str) -> str:
    """The kind of network that a non-public address belongs to."""
    from ipaddress import ip_address

    one = ip_address(address)
    if one.is_loopback:
        return "loopback"
    if one.is_link_local:
        return "link"
    return "private" if one.is_private else "other"


async def _object(response: httpx.Response, what: str) -> dict[str, Any]:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > LARGEST:
            raise refused(f"the answer of {what} is larger than {LARGEST // 1024} KiB")
    try:
        value = parse(bytes(data))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
