"""The addresses that a program may connect to, and requests to exactly the address that was checked.

Must not know grants. Invariants: an address is public only if every address that hides in it (IPv4 in IPv6) is; what
cannot be read as an address is not public; a request to a checked address keeps its host's name for the certificate.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    import httpx

METADATA = frozenset(("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "169.254.170.2"))
"""Addresses where clouds hand out credentials to requests from inside. One of them is a public address."""

_NAT64 = "64:ff9b::"


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name, as text, in the order to try them. Raises OSError for a name that has none."""
    import asyncio
    import socket

    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet: not loopback, private, link-local, shared, reserved or
    multicast, and not a cloud's metadata service."""
    from ipaddress import ip_address

    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    pending: list[IPv4Address | IPv6Address] = [address]
    while pending:
        one = pending.pop()
        if str(one) in METADATA or not one.is_global or one.is_multicast or one.is_reserved:
            return False
        if one.version == 6:
            pending.extend(_hidden(one))
    return True


def canonical(text: str) -> str:
    """An address as grants spell it: an IPv4 address in IPv6 clothes as the former, else as it is."""
    from ipaddress import ip_address

    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(mapped or address)


def _hidden(address: IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The IPv4 addresses that packets to an IPv6 address may end at."""
    from ipaddress import IPv4Address, IPv6Address

    found: list[IPv4Address | IPv6Address] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    number = int(address)
    if number >> 32 in (int(IPv6Address(_NAT64)) >> 32, 0):
        found.append(IPv4Address(number & 0xFFFFFFFF))
    return found


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
