"""A server's tool as an RTFS declaration: text that reads back to exactly what is meant, and a safe name for its file.

Must not touch files or servers. Invariants: names, descriptions and schemas come from a server that need not be
trusted; whatever they hold is in the text as data (strings, keywords, numbers, types), never as code; characters that
control or reorder text are not kept at all; `tool_name` is the server's own, to the letter.
"""

from __future__ import annotations

import hashlib
import re

from rtfs.capabilities.sessions.mcp.tools import can_be_repeated, describe, tool_hash
from rtfs.values import InternalError, Keyword, List, Map, Symbol, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.sessions.mcp.operations import Operation

LONGEST_DESCRIPTION = 4000
"""Characters of a description that are kept."""
HEADER = ";; Written by `rtfs mcp import`; import again when the server's tool has changed."
"""The first line of a declaration."""
_LONGEST_NAME = 80
_FORMAT = re.compile(r"the format .* is not checked")
_HINTS = (
    ("readOnlyHint", True, "only reads"),
    ("readOnlyHint", False, "changes something"),
    ("destructiveHint", True, "may destroy"),
    ("destructiveHint", False, "only adds"),
    ("idempotentHint", True, "can be repeated"),
    ("openWorldHint", True, "reaches the outside world"),
    ("openWorldHint", False, "stays within its own world"),
)
"""Annotations of a tool: name, value, words for people. Source: MCP specification, server/tools, ToolAnnotations."""
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
_DEVICES = frozenset(("con", "prn", "aux", "nul", *(f"{a}{n}" for a in ("com", "lpt") for n in range(10))))


class Declaration:
    """file: name of the file. id: of the capability. text: its contents. tool: the server's name of the tool."""

    __slots__ = ("file", "id", "text", "tool")

    def __init__(self, file: str, id: str, text: str, tool: str) -> None:
        self.file = file
        self.id = id
        self.text = text
        self.tool = tool


def declarations(
    tools: list[dict[str, Any]], server: str, target: Mapping[str, Any], notes: list[str]
) -> list[Declaration]:
    """A declaration for each tool, ids and file names all different (also where case does not count).

    server: what ids begin with. target: metadata that say where the server is (`server_name`, or `server_url`, or
    `command` and `args`). notes: gets a line for each thing that was left out.
    """
    return [
        Declaration(
            id.removeprefix(f"mcp.{safe_name(server)}.") + ".rtfs", id, _text(id, tool, target, notes), tool["name"]
        )
        for id, tool in _named(tools, server, notes)
    ]


def _named(tools: list[dict[str, Any]], server: str, notes: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tools that can be called, each with its id."""
    taken: set[str] = set()
    seen: set[str] = set()
    for tool in tools:
        name = tool["name"]
        if name in seen:
            notes.append(f"{describe(name)} is listed twice; the first is kept")
            continue
        seen.add(name)
        if not name or not _encodable(name):
            notes.append(f"{describe(name)} has a name that cannot be called; left out")
            continue
        word = safe_name(name)
        if word.casefold() in taken:
            word = f"{word}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        taken.add(word.casefold())
        yield f"mcp.{safe_name(server)}.{word}", tool


def offered(tools: list[dict[str, Any]], server: str) -> list[Fields]:
    """The declarations of a configured server's tools, as they are registered without any file between. server: its
    configured name. Tools whose declaration is not valid are left out."""
    from rtfs.capabilities.declaration import from_options

    found: list[Fields] = []
    for id, tool in _named(tools, server, []):
        items = _form(id, tool, {"server_name": server}, []).to_list()
        options = Map(list(zip(items[2::2], items[3::2], strict=True)))
        try:
            found.append(from_options(id, options, None, lambda message, span: None))
        except UserError:
            continue
    return found


def operation_declarations(
    operations: Iterable[Operation], server: str, target: Mapping[str, Any]
) -> list[Declaration]:
    """A declaration for each thing that a server offers beside tools. server, target: as for `declarations`."""
    made = []
    for one in operations:
        id = f"mcp.{safe_name(server)}.{one.name}"
        made.append(
            Declaration(safe_name(one.name) + ".rtfs", id, _as_text(_operation_form(id, one, target)), one.name)
        )
    return made


def offered_operation(id: str, server: str) -> Fields | None:
    """The declaration of a configured server's operation with this id (`mcp.NAME.resources/read`); None if there is no
    such operation."""
    from rtfs.capabilities.declaration import from_options
    from rtfs.capabilities.sessions.mcp.operations import OPERATIONS

    one = OPERATIONS.get(id.removeprefix(f"mcp.{safe_name(server)}."))
    if one is None:
        return None
    items = _operation_form(id, one, {"server_name": server}).to_list()
    options = Map(list(zip(items[2::2], items[3::2], strict=True)))
    return from_options(id, options, None, lambda message, span: None)


def _operation_form(id: str, operation: Operation, target: Mapping[str, Any]) -> List:
    from rtfs.source import Source
    from rtfs.syntax.reader import read_forms

    wire = {**target, "operation": operation.name, "requires_session": "auto"}
    [schema] = read_forms(Source(operation.schema, "<schema>"))
    return _capability(id, operation.name, operation.about, wire, schema, Keyword("any"), repeats=True)


def safe_name(name: str) -> str:
    """A name of letters, digits, `_`, `-` and `.` that is fit for a file and an id; never empty, hidden or a device."""
    word = _ODD.sub("_", name)[:_LONGEST_NAME].rstrip(".") or "_"
    if word[0] in ".-" or word.partition(".")[0].casefold() in _DEVICES:
        word = "_" + word
    return word


def plain(text: Any, limit: int = LONGEST_DESCRIPTION) -> str:
    """Foreign text without control, reordering and invisible characters; line ends stay."""
    if not isinstance(text, str):
        return ""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    clean = "".join([c if c == "\n" or c.isprintable() else " " for c in text]).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(id: str, tool: dict[str, Any], target: Mapping[str, Any], notes: list[str]) -> str:
    return _as_text(_form(id, tool, target, notes))


def _as_text(form: List) -> str:
    from rtfs.source import Source
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.reader import read_forms

    head, *pairs = _lines(form, to_text)
    text = f"{HEADER}\n{head}\n"
    text += "\n".join(f"  {pair}" for pair in pairs) + ")\n"
    read = list(read_forms(Source(text, "<declaration>")))
    if read != [form]:
        raise InternalError(f"the declaration of {describe(str(form[1]))} does not read back as it was meant")
    return text


def _lines(form: List, to_text: Any) -> list[str]:
    items = form.to_list()
    lines = [f"({to_text(items[0])} {to_text(items[1])}"]
    for key, value in zip(items[2::2], items[3::2], strict=True):
        word = to_text(key)
        lines.append(f"{word} {to_text(value, 100)}".replace("\n", "\n" + " " * (len(word) + 3)))
    return lines


def _form(id: str, tool: dict[str, Any], target: Mapping[str, Any], notes: list[str]) -> List:
    said: list[str] = []
    wire = {**target, "tool_name": tool["name"], "requires_session": "auto", "tool_hash": tool_hash(tool)}
    title, annotations = plain(tool.get("title"), 200), _annotations(tool)
    if title:
        wire["title"] = title
    if annotations:
        wire["annotations"] = Map([(Keyword(key), value) for key, value in annotations.items()])
    taken = _schema(tool.get("inputSchema"), said, arguments=True)
    given = _schema(tool.get("outputSchema"), said) if tool.get("outputSchema") else Keyword("any")
    for line in said:
        format = _FORMAT.search(line)
        note = format[0] if format is not None else f"{describe(tool['name'])}: {plain(line, 200)}"
        if note not in notes:  # formats are the same all over
            notes.append(note)
    name, about = plain(tool["name"], 200), plain(tool.get("description"))
    return _capability(id, name, about, wire, taken, given, repeats=can_be_repeated(tool))


def _capability(
    id: str, name: str, about: str, wire: Mapping[str, Any], taken: Any, given: Any, *, repeats: bool
) -> List:
    """The form that declares a capability. wire: its metadata for the handler. taken, given: the types of arguments and
    result. repeats: whether it may be called twice."""
    keyword = Keyword
    inner = Map([(keyword(key), Vector(value) if isinstance(value, list) else value) for key, value in wire.items()])
    process = "command" in wire
    pairs: list[tuple[str, Any]] = [
        ("name", name),
        ("description", about),
        ("provider", "MCP"),
        ("permissions", Vector([keyword("process.exec" if process else "network.http")])),
        ("effects", Vector([keyword("mcp_call")] if process else [keyword("network_request"), keyword("mcp_call")])),
    ]
    if repeats:
        pairs.append(("idempotent", True))
    discovery = Map([(keyword("method"), "mcp_introspection")])
    pairs += [
        ("metadata", Map([(keyword("mcp"), inner), (keyword("discovery"), discovery)])),
        ("input-schema", taken),
        ("output-schema", given),
    ]
    return List([Symbol("capability"), id, *(part for key, value in pairs for part in (keyword(key), value))])


def hints_of(tool: Mapping[str, Any]) -> list[str]:
    """A server's statements about a tool's effects, in words: `only reads`, `may destroy` …"""
    said = _annotations(tool)
    return [words for key, value, words in _HINTS if said.get(key) is value]


def _annotations(tool: Mapping[str, Any]) -> dict[str, bool]:
    given = tool.get("annotations")
    known = dict.fromkeys(key for key, _, _ in _HINTS)
    return {key: given[key] for key in known if isinstance(given, dict) and isinstance(given.get(key), bool)}


def _schema(schema: Any, said: list[str], *, arguments: bool = False) -> Any:
    """The type of a JSON Schema as it will be read; `:any` for what no source text can hold."""
    from rtfs.source import Source
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.reader import read_forms
    from rtfs.types import parse_type
    from rtfs.types.json_schema import from_json_schema

    form = from_json_schema(schema if schema is not None else True, said, arguments=arguments)
    try:
        read = list(read_forms(Source(to_text(form), "<schema>")))
        if read == [form]:
            parse_type(form)
            return form
    except UserError:
        pass
    said.append("the schema cannot be written as a type; not checked")
    return Keyword("any")
