"""A server's requests to a language model in the middle of a call; the embedder's own function answers them.

Must not know any provider, protocol or model. Invariant: what is handed to the function is plain data of bounded size;
what it answers is a text, or a mapping with more to it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Sample = Callable[["SamplingRequest"], Any]


class SamplingRequest:
    """server: who asks, as a person knows it. messages: `{"role": "user", "content": {…}}` dicts, as the server sent
    them. system: its system prompt, or "". max_tokens: that it wants at most, or None. params: everything it said, for
    what else a revision of the protocol has. capability, principal, run_id: of the call that is waiting."""

    __slots__ = ("capability", "max_tokens", "messages", "params", "principal", "run_id", "server", "system")

    def __init__(
        self, server: str, params: dict[str, Any], *, capability: str = "", principal: str = "", run_id: str = ""
    ) -> None:
        """Raises ValueError for params without messages."""
        messages = params.get("messages")
        if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
            raise ValueError("messages are needed")
        most, system = params.get("maxTokens"), params.get("systemPrompt")
        self.server = server
        self.messages: list[dict[str, Any]] = messages
        self.system = system if isinstance(system, str) else ""
        self.max_tokens = most if isinstance(most, int) and not isinstance(most, bool) else None
        self.params = params
        self.capability = capability
        self.principal = principal
        self.run_id = run_id

    def __repr__(self) -> str:
        return f"<sampling request of {self.server}>"


async def sampled(sample: Sample, request: SamplingRequest) -> dict[str, Any]:
    """The `CreateMessageResult` of what the embedder's function answers: a text, or a dict with `content`, `model`,
    `stopReason`. A function that is not async runs in a thread. Raises what it raises, TypeError for another answer."""
    import asyncio
    from inspect import isawaitable, iscoroutinefunction

    answer = sample(request) if iscoroutinefunction(sample) else await asyncio.to_thread(sample, request)
    if isawaitable(answer):
        answer = await answer
    if isinstance(answer, str):
        answer = {"content": {"type": "text", "text": answer}}
    if not isinstance(answer, dict) or "content" not in answer:
        raise TypeError(f"a sampling function answers a text or a dict with content, not a {type(answer).__name__}")
    return {"role": "assistant", "model": "unknown", **answer}
