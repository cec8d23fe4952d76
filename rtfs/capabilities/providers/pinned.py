"""A request to the address that was looked at, whatever its host's name leads to a moment later.

Must not know which addresses may be asked. Invariant: the host keeps its name in the request and for its certificate.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx


async def send_pinned(client: httpx.AsyncClient, request: httpx.Request, addresses: Sequence[str]) -> httpx.Response:
    """The response, its body unread, of the first address that can be connected to; with no addresses, of the name.
    Raises httpx.HTTPError: ConnectError where none of them answers."""
    import httpx

    url = request.url
    for address in addresses:
        request.url = url.copy_with(host=address)
        request.extensions["sni_hostname"] = url.raw_host.decode("ascii").strip("[]")
        try:
            return await client.send(request, stream=True)
        except httpx.ConnectError:
            if address == addresses[-1]:
                raise
    return await client.send(request, stream=True)
