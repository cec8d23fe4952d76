"""Tools of configured servers that are not declared: which server an id belongs to, and its tools as they were first
described.

Must not know policies. Invariant: what is declared here is what was pinned when the tool was first seen; a later
description counts only once a person has accepted it.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.mcp.tool_declarations import offered, safe_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.sessions.mcp.pins import Pins
    from rtfs.capabilities.sessions.mcp.target import Target


def server_of(id: str, servers: Iterable[str], provider: str) -> str | None:
    """The server whose tools have ids like this one (`mcp.NAME.TOOL`), the longest name wins; None if there is none."""
    rest = id.removeprefix(provider + ".")
    if rest == id:
        return None
    found = [name for name in servers if rest.startswith(safe_name(name) + ".")]
    return max(found, key=len, default=None)


def metadata_of(server: str, provider: str) -> dict[str, Any]:
    """The flat metadata of any capability of a configured server."""
    return {f"{provider}_server_name": server, f"{provider}_requires_session": "auto"}


def pinned(pins: Pins, server: str, target: Target, principal: str) -> list[Fields]:
    """The declarations of the tools that are pinned."""
    return offered(list(pins.tools(server, target, principal).values()), server)


def pin(
    pins: Pins, server: str, target: Target, principal: str, tools: list[dict[str, Any]]
) -> tuple[list[Fields], str]:
    """Pin the tools that are new, and answer the declarations of all pinned ones, with a remark for people: "" if
    nothing was new."""
    new = pins.add(server, target, principal, tools)
    if not new:
        return pinned(pins, server, target, principal), ""
    count = f"{len(new)} tool{'' if len(new) == 1 else 's'}"
    what = f"{count} of {server} pinned as described now; `rtfs mcp diff {server}` shows later changes"
    if pins.trouble:
        what = f"{count} of {server} cannot be pinned for later runs: {pins.trouble}"
    return pinned(pins, server, target, principal), what
