"""The catalogue of a caller: searches and describes the capabilities of a runtime that the policy lets it call.

Must not know MCP. Invariants: a capability that would be denied is neither found nor described; a server is asked for
its tools only where the policy may allow one of them; one that cannot be asked is named with the reason, and hides
nothing of the others.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from rtfs.capabilities.effects import argument_names, effects_of, example_call, fields_of
from rtfs.host.checks.verdicts import verdict
from rtfs.host.describe import Description
from rtfs.host.policy.grants import glob
from rtfs.host.servers import ask_server, handler_name
from rtfs.serve.search import Document, Index
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.runtime import Runtime
    from rtfs.serve.callers import Caller

FEW, MOST = 10, 50
"""Hits that are shown, and that can be asked for at most."""
AGAIN = 30.0
"""Seconds until a server that could not be asked is asked again."""
LINE = 140
"""Characters of a description in a list of hits."""


class Catalogue:
    """The capabilities of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._asked: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        self._asking = asyncio.Lock()
        self._indexes: dict[tuple[str, ...], Index] = {}

    async def prepare(self) -> None:
        """Ask the servers that were not asked yet for their tools, all at the same time."""
        async with self._asking:
            now = monotonic()
            names = [name for name in self.runtime.servers if self._asked.get(name, 0.0) <= now and self._wanted(name)]
            await asyncio.gather(*(self._ask(name) for name in names))

    async def _ask(self, name: str) -> None:
        try:
            await asyncio.to_thread(ask_server, self.runtime, name)
        except UserError as error:
            self._trouble[name] = error.message
            self._asked[name] = monotonic() + AGAIN
        else:
            self._trouble.pop(name, None)
            self._asked[name] = float("inf")

    def _wanted(self, name: str) -> bool:
        """Whether the policy may allow a tool of a server."""
        ids = f"mcp.{handler_name(name)}."
        rules = self.runtime._executor.rules.rules
        patterns = [*self.runtime._executor.grants.texts, *(rule.match for rule in rules if rule.decide != "deny")]
        return any(one.startswith(ids) or glob(one, ids + "_") for one in patterns if ":" not in one)

    def allowed(self, caller: Caller) -> dict[str, bool]:
        """The ids that this caller may call, each with whether a person may be asked first."""
        found: dict[str, bool] = {}
        asking = [rule.match for rule in self.runtime._executor.rules.rules if rule.decide == "approve"]
        for id in self.runtime._registry.ids():
            said = verdict(self.runtime, id, caller.allow)
            if said.decision != "deny":
                found[id] = said.decision == "ask" or any(glob(pattern, id) for pattern in asking)
        return found

    def search(self, caller: Caller, query: str, limit: int = FEW) -> str:
        """The capabilities found, one per line, and the total number."""
        allowed = self.allowed(caller)
        keys = self.find(allowed, query)
        shown = keys[: max(1, min(limit, MOST))]
        lines = [self._line(id, allowed[id]) for id in shown]
        lines.append(f"{len(shown)} of {len(keys)}" + (f" that fit, of {len(allowed)}" if query.strip() else ""))
        lines += [f"{name}: not asked for its tools: {why}" for name, why in self._trouble.items()]
        return "\n".join(lines)

    def find(self, allowed: dict[str, bool], query: str) -> list[str]:
        """The ids in `allowed` that match a query, best match first; all of them for an empty query."""
        return self._index(tuple(allowed)).search(query)

    @property
    def troubles(self) -> dict[str, str]:
        """Servers that could not be asked for their tools, with the reason."""
        return dict(self._trouble)

    def describe(self, caller: Caller, ids: list[str]) -> str:
        """Signatures with an example and effects. An id that this caller may not call is said to be unknown."""
        allowed = self.allowed(caller)
        return "\n\n".join(self.described(id, allowed) for id in ids[:MOST])

    def described(self, id: str, allowed: dict[str, bool]) -> str:
        """The signature of one capability, as in `describe`. allowed: the result of `allowed`."""
        entry = self.runtime._registry.find(id) if id in allowed else None
        if entry is None:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(id, list(allowed))
            return f"{id}: there is no such capability" + (f"; did you mean {near}?" if near else "")
        lines = [Description(fields_of(entry)).text(), f"  {effects_of(entry).words}"]
        if allowed[id]:
            lines.append("  a person may be asked before the call")
        lines.append(f"  example: {example_call(entry)}")
        return "\n".join(lines)

    def _line(self, id: str, asked: bool) -> str:
        entry = self.runtime._registry.find(id)
        text = "" if entry is None else one_line(fields_of(entry).description, LINE)
        return f"{id}{': ' if text else ''}{text}{' [asks a person]' if asked else ''}"

    def _index(self, ids: tuple[str, ...]) -> Index:
        index = self._indexes.get(ids)
        if index is None:
            if len(self._indexes) >= 16:
                self._indexes.pop(next(iter(self._indexes))).close()
            index = self._indexes[ids] = Index(self._document(id) for id in ids)
        return index

    def _document(self, id: str) -> Document:
        entry: Any = self.runtime._registry.find(id)
        fields = fields_of(entry)
        return Document(id, fields.name or "", fields.description, argument_names(entry))

    def close(self) -> None:
        """Let go of the indexes."""
        for index in self._indexes.values():
            index.close()
        self._indexes.clear()


def one_line(text: str, most: int) -> str:
    """The first of a text, on one line."""
    joined = " ".join(text.split())
    return joined if len(joined) <= most else joined[: most - 1] + "…"
