"""Sessions with MCP servers: both eras of the protocol, over HTTP and with started processes.

`McpHandler` is what gets registered. Importing this package imports no HTTP library; the first call does.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.mcp.handler import McpHandler
from rtfs.capabilities.sessions.mcp.limits import WireLimits

__all__ = ["McpHandler", "WireLimits"]
