"""MCP's words: revisions, error codes, the names of metadata.

Must not know transports, sessions or RTFS values. Invariant: each constant is the specification's.

Source: MCP specification, revisions 2024-11-05 to 2026-07-28; JSON-RPC 2.0.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Revisions with `initialize` and sessions, newest first."""
SESSIONLESS_VERSIONS = ("2026-07-28",)
"""Revisions without, newest first."""
HEADER_SINCE = "2025-06-18"
"""The first revision whose requests name it in a header."""

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022
URL_ELICITATION = -32042
MODERN_CODES = (HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION)
"""Error codes that only a server of the sessionless era answers."""

META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_LOG_LEVEL = "io.modelcontextprotocol/logLevel"
META_SERVER = "io.modelcontextprotocol/serverInfo"

CLIENT_NAME = "rtfs"


def error_of(message: Any) -> dict[str, Any] | None:
    """The error object of a JSON-RPC error reply, or None for anything else."""
    if isinstance(message, dict):
        error = message.get("error")
        if isinstance(error, dict) and type(error.get("code")) is int:
            return error
    return None
