"""`ccos.network.http-fetch`: one HTTP request, reached under `net:HOST`.

Invariants: no cookies, no redirects (the host that was granted is the host that is asked), no proxy from the
environment; bodies and time are capped.
"""

from __future__ import annotations

from rtfs.capabilities.providers.arguments import number, take, text, wrong
from rtfs.values import HostError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 32 * 1024 * 1024
"""Bytes of the largest body that is read."""
SECONDS = 30.0
"""The time a request has, unless `:timeout-ms` says otherwise."""
ID = "ccos.network.http-fetch"
_NAMES = ("url", "method", "headers", "body", "timeout-ms")


def url_of(arguments: tuple[Any, ...]) -> str:
    """The URL that a call with these arguments asks for."""
    return text(ID, "url", take(ID, arguments, _NAMES, 1)[0])


async def http_fetch(*arguments: Any) -> Any:
    """(url method? headers? body? timeout-ms?) → {:status :headers :body}; the body as text, headers by lower-case
    name."""
    import httpx

    url, method, headers, body, timeout = take(ID, arguments, _NAMES, 1)
    method = "GET" if method is None else text(ID, "method", method).upper()
    if headers is not None and headers.__class__ is not Map:
        raise wrong(ID, "headers", "a map", headers)
    sent = {} if headers is None else {text(ID, "headers", k): text(ID, "headers", v) for k, v in headers.items()}
    seconds = SECONDS if timeout is None else number(ID, "timeout-ms", timeout) / 1000
    content = None if body is None else text(ID, "body", body)
    try:
        async with (
            httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, headers=sent, content=content) as response,
        ):
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > LARGEST:
                    raise HostError(f"the answer of {url} is larger than {LARGEST // (1024 * 1024)} MiB")
    except httpx.TimeoutException:
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
