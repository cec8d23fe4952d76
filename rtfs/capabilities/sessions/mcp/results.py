"""A tool's answer on its way back: as an RTFS value, or as the error it is.

Must not know sessions or transports. Invariant: the same answer gives the same value, whatever era or transport
carried it.

Source: MCP specification, server/tools, "Tool Result".
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import SessionError
from rtfs.capabilities.sessions.mcp.protocol import INVALID_PARAMS, META_SERVER, METHOD_NOT_FOUND, URL_ELICITATION
from rtfs.capabilities.sessions.wire.json import parse
from rtfs.values import Keyword, Map, Vector
from rtfs.values.convert import from_python
from rtfs.values.error import HostError
from rtfs.values.info import ResultInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_PROTOCOLS_OWN = frozenset((META_SERVER,))
"""Keys of `_meta` that every result of a revision carries, and that say nothing about this one."""


def result_value(result: Any, advice: str | None = None) -> Any:
    """The value of a `tools/call` result, with what else came along (`(content r)`, `(meta r)`).

    `structuredContent` if there is some; else what a single text block says, if that is a JSON object or array; else
    the content blocks as a vector of maps (`:type` text, image, audio, resource_link, resource). JSON object keys
    become keywords. advice: what to do where the tool failed because the server could not ask back. Raises HostError:
    `capability/failed` with the server's text for `isError`, `session/protocol` for what is not a result.
    """
    if result.__class__ is not dict:
        raise SessionError("the server's result is not an object")
    content = result.get("content")
    if result.get("isError") is True:
        error = failed(_text(content) or "the tool failed and did not say why", content)
        if advice is not None and "back-channel" in error.message:
            error.hint = advice
        raise error
    return _with_note(_value(result, content), result, content)


def _value(result: dict[str, Any], content: Any) -> Any:
    structured = result.get("structuredContent")
    if structured is not None:
        return from_python(structured, keywords=True)
    if content.__class__ is not list:
        if "toolResult" in result:
            return from_python(result["toolResult"], keywords=True)
        raise SessionError("the server's result has neither content nor structured content")
    if len(content) == 1:
        block = content[0]
        if block.__class__ is dict and block.get("type") == "text":
            text = block.get("text")
            if text.__class__ is str and text.lstrip()[:1] in ("{", "["):
                try:
                    return from_python(parse(text.encode("utf-8")), keywords=True)
                except ValueError:
                    pass
    return from_python(content, keywords=True)


def _with_note(value: Any, result: dict[str, Any], content: Any) -> Any:
    """The value with its content and `_meta`. A value that can carry no note (`structuredContent` may be a number or a
    text since 2026-07-28) becomes the content where there is more to it than words."""
    note: dict[str, Any] = {}
    if content.__class__ is list and content:
        note["content"] = content
    meta = result.get("_meta")
    if isinstance(meta, dict) and not _PROTOCOLS_OWN.issuperset(meta):
        note["meta"] = {key: value for key, value in meta.items() if key not in _PROTOCOLS_OWN}
    if not note:
        return value
    if value.__class__ is Map or value.__class__ is Vector:
        return value.with_info(ResultInfo(note))
    words = all(block.__class__ is dict and block.get("type") == "text" for block in note.get("content", ()))
    return value if words else from_python(content, keywords=True).with_info(ResultInfo(note))


def failed(message: str, content: Any = None) -> HostError:
    """`capability/failed` with the server's words; `content` (blocks) is its data."""
    data = None if not content else Map([(Keyword("content"), from_python(content, keywords=True))])
    return HostError(message, data=data)


def reply_error(error: dict[str, Any], what: str, *, known: bool = False) -> HostError:
    """The error that a JSON-RPC error reply means. what: the tool or method, for the message. known: the server has the
    method, so that "method not found" is about something that it asked for in turn."""
    code = error["code"]
    text = error.get("message")
    text = text if isinstance(text, str) and text.strip() else "no reason given"
    pairs = [(Keyword("code"), code)]
    if error.get("data") is not None:
        pairs.append((Keyword("data"), from_python(error["data"], keywords=True)))
    data = Map(pairs)
    if code == URL_ELICITATION:
        message = f"{what} wants a person to open a page first: {text}"
        return SessionError(message, code="session/input-required", data=data)
    if code == METHOD_NOT_FOUND and not known:
        return SessionError(f"the server has no method for {what}: {text}", code="session/protocol", data=data)
    hint = "look at the tool's schema" if code == INVALID_PARAMS else None
    return HostError(text, data=data, hint=hint)


def _text(content: Any) -> str:
    if content.__class__ is not list:
        return ""
    texts = [block.get("text") for block in content if block.__class__ is dict and block.get("type") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str)).strip()
