"""`rtfs mcp list|show|diff`: what servers say of themselves and of their tools, for people and as JSON.

Must not know the wire. Invariant: what a server says reaches the terminal without control characters, whatever it is.
"""

from __future__ import annotations

import json

from rtfs.cli.output import write
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Tool = dict[str, Any]
    Asked = dict[str, "Report | HostError"]
    Change = tuple[str, str, list[str]]

SHOWN_DESCRIPTION = 160


class Report:
    """The answers of a server. version: the negotiated revision. server: its description of itself. tools: as JSON
    objects. operations: what it offers beside tools."""

    __slots__ = ("operations", "server", "sessionless", "tools", "version")

    def __init__(self, session: Any, tools: list[Tool]) -> None:
        from rtfs.capabilities.sessions.mcp.operations import offered_operations

        self.version = str(session.version)
        self.sessionless = bool(session.sessionless)
        self.server: dict[str, Any] = session.server
        self.tools = tools
        self.operations = offered_operations(session)


def list_servers(asked: Asked, targets: dict[str, str], as_json: bool) -> int:
    """A line for each server: its name, how many tools it has or why it cannot be used, what it is. 0, or 1 if none of
    them could be asked."""
    if as_json:
        rows = [{"server": name, "target": targets[name], **_as_data(found)} for name, found in asked.items()]
        write(json.dumps(rows))
    else:
        rows_of_text = [(name, _state(found), targets[name]) for name, found in asked.items()]
        width = max((len(row[0]) for row in rows_of_text), default=0)
        for name, state, target in rows_of_text:
            write(f"{name:<{width}}  {state:<8}  {target}".rstrip())
    return 0 if any(isinstance(found, Report) for found in asked.values()) or not asked else 1


def _state(found: Report | HostError) -> str:
    if isinstance(found, Report):
        return f"{len(found.tools)} tool{'' if len(found.tools) == 1 else 's'}"
    if found.code == "config/disabled":
        return "disabled"
    return _line(f"{found.code}: {found.message}", 200)


def _as_data(found: Report | HostError) -> dict[str, Any]:
    if isinstance(found, Report):
        return {"tools": found.tools}
    from rtfs.syntax.error_data import error_data

    return {"error": error_data(found)}


def list_tools(tools: list[Tool], as_json: bool) -> int:
    """A line for each tool: its name and the beginning of its description."""
    if as_json:
        write(json.dumps(tools))
        return 0
    names = [_line(tool["name"], 80) for tool in tools]
    width = min(max(map(len, names), default=0), 40)
    for name, tool in zip(names, tools, strict=True):
        write(f"{name:<{width}}  {_line(tool.get('description'), SHOWN_DESCRIPTION)}".rstrip())
    return 0


def show_server(name: str, target: str, found: Report, as_json: bool) -> int:
    """All about a server: who it is, what it offers, its instructions, its tools."""
    about = found.server.get("serverInfo")
    about = about if isinstance(about, dict) else {}
    offers = found.server.get("capabilities")
    instructions = found.server.get("instructions")
    if as_json:
        write(
            json.dumps(
                {"server": name, "target": target, "revision": found.version, **found.server, "tools": found.tools}
            )
        )
        return 0
    title = " ".join(_line(about.get(key), 80) for key in ("title", "name", "version") if about.get(key))
    rows = [("server", title), ("target", target)]
    rows.append(("revision", f"{found.version} ({'sessionless' if found.sessionless else 'handshake'} era)"))
    if isinstance(offers, dict) and offers:
        rows.append(("offers", ", ".join(_line(key, 40) for key in offers)))
    for label, text in rows:
        if text:
            write(f"{label:<13} {text}")
    if isinstance(instructions, str) and instructions.strip():
        write("instructions")
        for line in _text(instructions).split("\n"):
            write(f"  {line}".rstrip())
    from rtfs.capabilities.sessions.mcp.tool_declarations import safe_name

    write("also")
    width = max(len(one.name) for one in found.operations)
    for one in found.operations:
        write(f"  mcp.{safe_name(name)}.{one.name:<{width}}  {one.about}")
    write(f"tools         {len(found.tools)}")
    names = [_line(tool["name"], 80) for tool in found.tools]
    width = min(max(map(len, names), default=0), 40)
    for word, tool in zip(names, found.tools, strict=True):
        write(f"  {word:<{width}}  {_line(tool.get('description'), SHOWN_DESCRIPTION)}".rstrip())
    return 0


def show_tool(server: str, tools: list[Tool], wanted: str, as_json: bool) -> int:
    """All about one tool: what it is for, its parameters, its result, a command that calls it. Raises HostError `usage`
    for one that the server does not have."""
    tool = next((one for one in tools if one["name"] == wanted), None)
    if tool is None:
        from rtfs.syntax.suggest import did_you_mean

        names = [_line(one["name"], 80) for one in tools]
        near = did_you_mean(wanted, names)
        hint = f"did you mean {near}?" if near else "there are " + ", ".join(names[:12])
        raise HostError(f"{server} has no tool {wanted!r}", code="usage", hint=hint)
    if as_json:
        write(json.dumps(tool))
        return 0
    from rtfs.capabilities.sessions.mcp.tool_declarations import declarations, hints_of

    [made] = declarations([tool], server, {"server_name": server}, [])
    write(f"{made.id}" + (f"  {title}" if (title := _line(tool.get("title"), 120)) else ""))
    for line in _text(tool.get("description")).split("\n"):
        write(f"  {line}".rstrip())
    required, optional = parameters(tool.get("inputSchema"))
    for heading, rows in (("parameters", required), ("optional", optional)):
        if rows:
            write(heading)
            _rows(rows)
    if tool.get("outputSchema") is not None:
        given, more = parameters(tool["outputSchema"])
        write("result")
        _rows(given + more)
    said = hints_of(tool)
    if said:
        write("the server says that it " + ", ".join(said))
    words = " ".join(f"{name}={_example(type)}" for name, type, _ in required)
    write(f"call it with\n  rtfs call {server}.{made.id.removeprefix('mcp.' + server + '.')} {words}".rstrip())
    return 0


def parameters(schema: Any) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Name, type and description of the parameters that a JSON Schema wants, and of those that may be left out."""
    from rtfs.types.json_schema import type_from_json_schema
    from rtfs.types.record import Record

    type = type_from_json_schema(schema, arguments=True)
    found: tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]] = ([], [])
    for record in (type, *type.children()):
        if isinstance(record, Record):
            for field in record.fields:
                about = _line(field.about.get("description") or field.about.get("title"), 300)
                words = _line(field.type.describe(), 100)
                if "default" in field.about:
                    words += f", {_line(_as_json(field.about['default']), 60)} if left out"
                found[1 if field.optional else 0].append((_line(field.name, 60), words, about))
    return found


def _as_json(value: Any) -> str:
    from rtfs.types.to_schema import json_value

    return json.dumps(json_value(value), ensure_ascii=False)


def _rows(rows: list[tuple[str, str, str]]) -> None:
    width = max(len(row[0]) for row in rows)
    for name, type, about in rows:
        write(f"  {name:<{width}}  {type}" + (f": {about}" if about else ""))


def _example(type: str) -> str:
    return "…" if type != "an integer" else "1"


def changes(before: dict[str, Tool], now: dict[str, Tool]) -> list[Change]:
    """The differences between tools and their pins: state (new, gone, changed), name, differences."""
    from rtfs.capabilities.sessions.mcp.changes import differences

    rows: list[Change] = []
    for name in [*before, *(one for one in now if one not in before)]:
        if name not in now:
            rows.append(("gone", name, []))
        elif name not in before:
            rows.append(("new", name, []))
        elif lines := differences(before[name], now[name]):
            rows.append(("changed", name, lines))
    return rows


def show_changes(found: dict[str, list[Change] | None], as_json: bool) -> None:
    """Show the changes of each server's tools; None for a server whose tools are not pinned."""
    if as_json:

        def data(change: Change) -> dict[str, Any]:
            return dict(zip(("state", "tool", "differences"), change, strict=True))

        rows_of = {server: [data(one) for one in rows or ()] for server, rows in found.items()}
        write(json.dumps([{"server": s, "pinned": found[s] is not None, "changes": rows_of[s]} for s in found]))
        return
    for server, rows in found.items():
        if rows is None:
            write(f"{_line(server, 80)}: nothing is pinned yet; the first use pins the tools as they are then")
        elif not rows:
            write(f"{_line(server, 80)}: as pinned")
        for state, name, lines in rows or ():
            write(f"{_line(server, 80)}.{_line(name, 80)}: {state}")
            for line in lines:
                write(f"  {line}")


def _line(value: Any, limit: int) -> str:
    from rtfs.capabilities.sessions.handler import one_line

    return one_line(value, limit) if isinstance(value, str) else ""


def _text(value: Any) -> str:
    from rtfs.capabilities.sessions.mcp.tool_declarations import plain

    return plain(value, 20_000)
