"""The features that this client offers to a server: a person to ask, folders it may work in, a model to sample from.

Must not know channels, sessions or pools. Invariants: only requests that can be answered are declared; every request
gets an answer, and one that cannot be answered is refused at once.

Source: MCP specification, client/elicitation, client/roots, client/sampling (2024-11-05 to 2026-07-28).
"""

from __future__ import annotations

import logging

from rtfs.capabilities.sessions.mcp.elicitation import METHOD as ELICITATION
from rtfs.capabilities.sessions.mcp.elicitation import declined, elicited
from rtfs.capabilities.sessions.mcp.protocol import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND
from rtfs.capabilities.sessions.sampling import SamplingRequest, sampled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.sampling import Sample

logger = logging.getLogger("rtfs.mcp")

ROOTS = "roots/list"
SAMPLING = "sampling/createMessage"


class Refused(Exception):
    """The request of a server gets this error: a JSON-RPC code and its words."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Client:
    """asks: a person can be asked. roots: folders as (URI, name), or None if the server is not told any. sample: the
    embedder's function, or None."""

    __slots__ = ("asks", "roots", "sample")

    def __init__(
        self, asks: bool = False, roots: Sequence[tuple[str, str]] | None = None, sample: Sample | None = None
    ) -> None:
        self.asks = asks
        self.roots = roots
        self.sample = sample

    def declared(self) -> dict[str, Any]:
        """The client's capabilities, as `initialize` and `_meta` say them."""
        found: dict[str, Any] = {}
        if self.asks:
            found["elicitation"] = {"form": {}, "url": {}}
        if self.roots is not None:
            found["roots"] = {}
        if self.sample is not None:
            found["sampling"] = {}
        return found

    def answers(self, method: str, call: SessionCall | None) -> bool:
        """Whether a request with this method can be answered on behalf of a call."""
        if method == ELICITATION:
            return call is not None and call.ask is not None
        if method == SAMPLING:
            return call is not None and self.sample is not None
        return method == ROOTS and self.roots is not None

    async def answer(self, method: str, params: Any, call: SessionCall | None, server: str) -> dict[str, Any]:
        """The result of a request of the server. call: the call that waits for it. server: its name for people. Raises
        Refused."""
        params = params if isinstance(params, dict) else {}
        if method == ELICITATION and call is not None and call.ask is not None:
            try:
                return await elicited(params, call.ask, server)
            except ValueError as error:
                raise Refused(INVALID_PARAMS, str(error)) from error
        if method == ROOTS and self.roots is not None:
            return {"roots": [{"uri": uri, "name": name} for uri, name in self.roots]}
        if method == SAMPLING and call is not None and self.sample is not None:
            return await self._sampled(params, call, server)
        return self.refusal(method)

    async def _sampled(self, params: dict[str, Any], call: SessionCall, server: str) -> dict[str, Any]:
        assert self.sample is not None
        try:
            request = SamplingRequest(
                server, params, capability=call.capability_id, principal=call.principal, run_id=call.run_id
            )
        except ValueError as error:
            raise Refused(INVALID_PARAMS, str(error)) from error
        try:
            return await sampled(self.sample, request)
        except Exception as error:
            logger.exception("the sampling function failed")
            raise Refused(INTERNAL_ERROR, "sampling failed") from error

    @staticmethod
    def refusal(method: str) -> dict[str, Any]:
        """The answer to a request that cannot be answered: no to a question, an error to anything else. Raises
        Refused."""
        if method == ELICITATION:
            return declined()
        raise Refused(METHOD_NOT_FOUND, f"this client does not offer {method[:80]}")
