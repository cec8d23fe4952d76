"""`ccos.network.http-fetch`: one HTTP request, reached under `net:HOST`.

Invariants: no cookies, no redirects (the host that was granted is the host that is asked; a program that follows one
makes another call, under the policy, with the headers that it passes then), no proxy from the environment; an address
that is not public (loopback, private, link-local, a cloud's metadata) is connected to only if a grant names it; the
address that was checked is the address that is connected to; bodies and time are capped.
"""

from __future__ import annotations

from rtfs.capabilities.providers.arguments import number, take, text, wrong
from rtfs.capabilities.sessions.wire.addresses import canonical, is_public, resolve, send_pinned
from rtfs.values import HostError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    import httpx

LARGEST = 32 * 1024 * 1024
"""Bytes of the largest body that is read."""
SECONDS = 30.0
"""The time a request has, unless `:timeout-ms` says otherwise."""
ID = "ccos.network.http-fetch"
_OWN_HEADERS = frozenset(("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"))
"""Headers that say which host is meant and where a request ends: another one than was granted, in a program's hands."""
_NAMES = ("url", "method", "headers", "body", "timeout-ms")


def url_of(arguments: tuple[Any, ...]) -> str:
    """The URL that a call with these arguments asks for."""
    return text(ID, "url", take(ID, arguments, _NAMES, 1)[0])


def only_reads(arguments: tuple[Any, ...]) -> bool:
    """Whether a call with these arguments asks for something and changes nothing (RFC 9110, 9.2.1)."""
    method = take(ID, arguments, _NAMES, 1)[1]
    return method is None or text(ID, "method", method).upper() in ("GET", "HEAD", "OPTIONS")


async def http_fetch(
    *arguments: Any,
    named: Callable[[str], bool] = lambda need: False,
    lookup: Callable[[str, int], Awaitable[list[str]]] = resolve,
) -> Any:
    """(url method? headers? body? timeout-ms?) → {:status :headers :body}; the body as text, headers by lower-case
    name.

    named(`net:ADDRESS:PORT`): whether grants name exactly this host; asked for addresses that are not public. lookup:
    finds the addresses of a name. Raises HostError `policy/denied`, `argument/url`, `capability/timeout`,
    `capability/failed`.
    """
    import asyncio

    import httpx

    url, method, headers, body, timeout = take(ID, arguments, _NAMES, 1)
    method = "GET" if method is None else text(ID, "method", method).upper()
    if headers is not None and headers.__class__ is not Map:
        raise wrong(ID, "headers", "a map", headers)
    sent = {} if headers is None else {text(ID, "headers", k): text(ID, "headers", v) for k, v in headers.items()}
    for name in sent:
        if name.strip().lower() in _OWN_HEADERS:
            raise HostError(f"the header {name} is not a program's to set", code="argument/invalid")
    seconds = SECONDS if timeout is None else number(ID, "timeout-ms", timeout) / 1000
    content = None if body is None else text(ID, "body", body)
    try:
        target = _target(text(ID, "url", url))
        async with asyncio.timeout(seconds):
            addresses = await _addresses(target, named, lookup)
            async with httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client:
                request = client.build_request(method, target, headers=sent, content=content)
                response = await send_pinned(client, request, addresses)
                try:
                    data = bytearray()
                    async for chunk in response.aiter_bytes():
                        data += chunk
                        if len(data) > LARGEST:
                            raise HostError(f"the answer of {url} is larger than {LARGEST // (1024 * 1024)} MiB")
                finally:
                    await response.aclose()
    except (httpx.TimeoutException, TimeoutError):
        raise HostError(f"{url} did not answer within {seconds:g} s", code="capability/timeout") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise HostError(f"{method} {url}: {error or type(error).__name__}", code="capability/failed") from error
    text_ = bytes(data).decode(response.charset_encoding or "utf-8", "replace")
    return Map(
        [
            (Keyword("status"), response.status_code),
            (Keyword("headers"), Map(list({k.lower(): v for k, v in response.headers.items()}.items()))),
            (Keyword("body"), text_),
        ]
    )


def _target(url: str) -> httpx.URL:
    """The URL, if what is granted by it and what is asked are the same host: two readers of URLs have to agree."""
    from urllib.parse import urlsplit

    import httpx

    target = httpx.URL(url)
    granted = (urlsplit(url).hostname or "").rstrip(".")
    if granted.lower() not in (target.host.rstrip("."), target.raw_host.decode("ascii").strip("[]").rstrip(".")):
        raise HostError(f"the host of this URL cannot be told for sure: {url[:200]!r}", code="argument/url")
    return target


async def _addresses(
    target: httpx.URL, named: Callable[[str], bool], lookup: Callable[[str, int], Awaitable[list[str]]]
) -> list[str]:
    """The addresses of the host, all of which may be connected to. One that may not is an error: a name with both kinds
    of addresses is suspicious."""
    host = target.raw_host.decode("ascii").strip("[]")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = await lookup(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise HostError(f"the host {host} cannot be found: {reason}", code="capability/failed") from None
    if not found:
        raise HostError(f"the host {host} has no address", code="capability/failed")
    for address in found:
        plain = canonical(address)
        shown = f"[{plain}]" if ":" in plain else plain
        local = host.lower().rstrip(".") == "localhost" and _loopback(plain) and named(f"net:localhost:{port}")
        if not (is_public(address) or local or named(f"net:{shown}:{port}")):
            raise HostError(
                f"{host} is at {plain}, which is not a public address",
                code="policy/denied",
                hint=f"if that is meant, allow it with --allow net:{shown}",
            )
    return found


def _loopback(address: str) -> bool:
    return address == "::1" or address.startswith("127.")
