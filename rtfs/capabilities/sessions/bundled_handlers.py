"""The session handlers that come with this package, by name: imported only when a capability's metadata asks for
one."""

from __future__ import annotations

HANDLERS: dict[str, str] = {
    "graphql": "rtfs.capabilities.sessions.graphql:GraphqlHandler",
    "mcp": "rtfs.capabilities.sessions.mcp:McpHandler",
}
