"""A declaration's `:metadata`, flattened: `{:mcp {:requires_session "auto"}}` → `{"mcp_requires_session": "auto"}`.

Must not know any provider's name: what a key means is the business of the handler whose name prefixes it. Invariant:
flattening is the same for every provider and depth, and deterministic (order as written).
"""

from __future__ import annotations

from rtfs.values import Keyword, Map, Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SESSION_SUFFIX = "_requires_session"
"""A flattened key with this end and a value of `SESSION_WANTED` sends a capability's calls through a session."""
SESSION_WANTED = ("auto", "true", True)

_DEPTH = 64


def flatten(metadata: Any) -> dict[str, Any]:
    """The flat view of a metadata map: nested keys joined by `_`, keywords without their colon.

    Leaves keep their value; keywords become their name, vectors stay vectors. Of two paths that flatten to one key the
    later wins. Raises ValueError where the nesting is deeper than 64.
    """
    flat: dict[str, Any] = {}
    if metadata is None:
        return flat
    pending: list[tuple[str, Any]] = [("", metadata)]
    depth = {"": 0}
    while pending:
        prefix, value = pending.pop()
        if value.__class__ is Map:
            level = depth.get(prefix, 0) + 1
            if level > _DEPTH:
                raise ValueError(f"metadata is nested deeper than {_DEPTH} levels")
            for key, item in reversed(list(value.items())):
                path = f"{prefix}_{key_text(key)}" if prefix else key_text(key)
                depth[path] = level
                pending.append((path, item))
        elif prefix:
            flat.pop(prefix, None)
            flat[prefix] = value.name if value.__class__ is Keyword else value
    return flat


def key_text(key: Any) -> str:
    """A map key as a part of a flat key: keywords and symbols by name, `/` and `.` kept, the rest as Python's text."""
    if key.__class__ is Keyword or key.__class__ is Symbol:
        return str(key.name)
    return str(key)


def wants_session(flat: Mapping[str, Any]) -> bool:
    """Whether the flat metadata asks for a session: some key ends in `_requires_session`, with "auto" or "true"."""
    for key, value in flat.items():
        if key.endswith(SESSION_SUFFIX) and value.__class__ in (str, bool) and value in SESSION_WANTED:
            return True
    return False


def candidates(flat: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """The handler names (sorted) that prefix a session key of the flat metadata.

    A session key is one that ends in `_requires_session`; `mcp` prefixes `mcp_requires_session`.
    """
    keys = [key for key in flat if key.endswith(SESSION_SUFFIX)]
    return sorted({name for name in names for key in keys if key.startswith(name + "_")})


def prefixes(flat: Mapping[str, Any]) -> list[str]:
    """The prefixes of `_requires_session` in the flat metadata: the names under which a handler would have to be
    registered."""
    return sorted({key[: -len(SESSION_SUFFIX)] for key in flat if key.endswith(SESSION_SUFFIX)})
