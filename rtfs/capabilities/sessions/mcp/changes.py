"""A tool that its server describes otherwise than before: what is different, in lines for people.

Must not know where descriptions come from. Invariant: descriptions whose hashes differ have a line at least.
"""

from __future__ import annotations

import json

from rtfs.capabilities.sessions.handler import SessionError, one_line
from rtfs.capabilities.sessions.mcp.tools import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 120
_MOST = 20


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The lines, at most twenty: `description: "a" → "b"`, `inputSchema.properties.path: new, {"type":"string"}`."""
    lines: list[str] = []
    for key in ("title", "description", "annotations", "inputSchema", "outputSchema"):
        _compare(key, before.get(key), after.get(key), lines)
    return lines if len(lines) <= _MOST else [*lines[: _MOST - 1], f"… {len(lines) - _MOST + 1} more"]


def changed(tool: str, server: str | None, before: dict[str, Any] | None, after: dict[str, Any] | None) -> SessionError:
    """The error of a call to a tool that is not what it was. before, after: its descriptions, None where they are not
    known or there is none."""
    if after is None:
        said = "is not listed any more"
    else:
        said = "is described otherwise than when it was imported or first used"
        if before is not None:
            said += "".join(f"\n  {line}" for line in differences(before, after))
    hint = "look at what changed, then import it again with --force"
    if server is not None:
        word = one_line(server, 80)
        hint = f"`rtfs mcp diff {word}` shows it; --accept uses the tool as it is now (an imported one: import --force)"
    return SessionError(f"{describe(tool)} {said}", code="capability/changed", hint=hint)


def _compare(path: str, before: Any, after: Any, lines: list[str]) -> None:
    pending = [(path, before, after)]
    while pending:
        path, before, after = pending.pop()
        if before == after and type(before) is type(after):
            continue
        if isinstance(before, dict) and isinstance(after, dict) and len(path) < 300:
            keys = [*before, *(key for key in after if key not in before)]
            pending += [(f"{path}.{key}", before.get(key), after.get(key)) for key in reversed(keys)]
        elif before is None:
            lines.append(f"{one_line(path, _SHOWN)}: new, {_show(after)}")
        elif after is None:
            lines.append(f"{one_line(path, _SHOWN)}: gone, it was {_show(before)}")
        else:
            lines.append(f"{one_line(path, _SHOWN)}: {_show(before)} → {_show(after)}")


def _show(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), _SHOWN)
