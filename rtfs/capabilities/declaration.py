"""A `(capability …)` form or a `register` call, checked and brought into one shape: `Fields`.

Must not know who may call a capability or how a call is routed. Invariant: a `Fields` is complete and valid; whatever
is wrong with a declaration is said here, as `capability/invalid` with the span of the wrong part. Forms found in the
wild are accepted (capabilities.md, "A declaration"); an unknown key is a warning, never an error.
"""

from __future__ import annotations

from rtfs.capabilities.metadata import flatten
from rtfs.values import HostError, Keyword, List, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.flow_declaration import FlowDeclaration
    from rtfs.source import Span
    from rtfs.types import Type

KEYS = (
    "idempotent", "name", "version", "description", "provider", "provider-meta", "permissions", "effects", "metadata",
    "input-schema", "output-schema", "implementation", "domains", "categories", "deprecated", "session-scope",
    "session-restorable", "flow",
)  # fmt: skip
LONGEST_ID = 500
_TEXTS = ("name", "version", "description", "provider")
_TAGS = ("permissions", "effects", "domains", "categories")


class Fields:
    """One declaration, normalised. `permissions`, `effects`, `domains`, `categories` are tuples of str without colons;
    `input_schema`, `output_schema` are type expressions (RTFS values) or None; `input_type`, `output_type` the
    types. `flow`: the labels of its answers, or None; `flow_form`: as it was declared. `session_scope`: the
    owner of its sessions (principal, run, call), None if the server's configuration says; `session_restorable`: a
    resumed run may continue in a new session."""

    __slots__ = (
        "categories", "deprecated", "description", "domains", "effects", "flat_metadata", "flow",
        "flow_form", "id", "idempotent",
        "implementation", "input_schema", "input_type", "metadata", "name", "output_schema", "output_type",
        "permissions", "provider", "provider_meta", "session_restorable", "session_scope", "span", "version",
    )  # fmt: skip

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = ""
        self.version = ""
        self.description = ""
        self.provider: str | None = None
        self.provider_meta: Any = None
        self.permissions: tuple[str, ...] = ()
        self.effects: tuple[str, ...] = ()
        self.domains: tuple[str, ...] = ()
        self.categories: tuple[str, ...] = ()
        self.metadata: Any = None
        self.flat_metadata: dict[str, Any] = {}
        self.input_schema: Any = None
        self.output_schema: Any = None
        self.input_type: Type | None = None
        self.output_type: Type | None = None
        self.idempotent: bool | None = None
        self.deprecated: bool | str = False
        self.implementation: Any = None
        self.flow: FlowDeclaration | None = None
        self.flow_form: Any = None
        self.session_scope: str | None = None
        self.session_restorable: bool | None = None
        self.span: Span | None = None

    def content(self) -> tuple[Any, ...]:
        """Everything that makes two declarations "the same content", but the implementation."""
        return (
            self.id, self.name, self.version, self.description, self.provider, self.provider_meta, self.permissions,
            self.effects, self.domains, self.categories, self.metadata, self.input_schema, self.output_schema,
            self.idempotent, self.deprecated, self.session_scope, self.session_restorable,
            self.flow_form,
        )  # fmt: skip


def from_options(
    id: Any, options: Any, span: Span | None, warn: Callable[[str, Span | None], None], resolve: Any = None
) -> Fields:
    """The `Fields` of a declaration.

    id: a str. options: Map of Keyword → value, as the machine hands it over. span: of the whole form. warn(message,
    span) is told of unknown keys. resolve: name → Type or None, for the program's own types in schemas.
    Raises HostError `capability/invalid`.
    """
    if id.__class__ is Keyword:
        id = id.name
    if id.__class__ is not str or not id.strip():
        raise invalid("a capability's id is a non-empty string", span, hint='(capability "my.tool" :description "…")')
    if len(id) > LONGEST_ID:
        raise invalid(f"a capability's id has at most {LONGEST_ID} characters", span)
    fields = Fields(id)
    fields.span = span
    for key, value in () if options is None else options.items():
        name = key.name if key.__class__ is Keyword or key.__class__ is Symbol else key
        where = place_of(value) or span
        canonical = name.replace("_", "-") if name.__class__ is str else name
        if canonical not in KEYS:
            warn(_unknown(id, name), span)
            continue
        attribute = canonical.replace("-", "_")
        if canonical in _TEXTS:
            setattr(fields, attribute, _text(id, canonical, value, where))
        elif canonical in _TAGS:
            setattr(fields, attribute, _tags(id, canonical, value, where))
        elif canonical in ("idempotent", "session-restorable"):
            if value is not None and value.__class__ is not bool:
                raise invalid(f"{id}: :{canonical} is true or false, not {_show(value)}", where)
            setattr(fields, attribute, value)
        elif canonical == "session-scope":
            scope = _text(id, canonical, value, where) or None
            if scope not in (None, "principal", "run", "call"):
                raise invalid(f"{id}: :session-scope is principal, run or call, not {_show(value)}", where)
            fields.session_scope = scope
        elif canonical == "deprecated":
            if value.__class__ not in (bool, str, type(None)):
                raise invalid(f"{id}: :deprecated is true, false or a text, not {_show(value)}", where)
            fields.deprecated = value or False
        elif canonical == "flow":
            from rtfs.capabilities.flow_declaration import FlowDeclaration

            fields.flow_form = value
            try:
                fields.flow = None if value is None else FlowDeclaration(value)
            except ValueError as error:
                raise invalid(f"{id}: {error}", where) from None
        elif canonical in ("metadata", "provider-meta"):
            if value is not None and value.__class__ is not Map:
                raise invalid(f"{id}: :{canonical} is a map, not {_show(value)}", where)
            setattr(fields, attribute, value)
        elif canonical in ("input-schema", "output-schema"):
            form = None if value is None else _with_comments(value)
            setattr(fields, attribute, form)
            setattr(fields, attribute.replace("schema", "type"), _type(id, canonical, form, where, resolve))
        elif value is not None and not callable(value):
            raise invalid(f"{id}: :implementation is a function, not {_show(value)}", where)
        else:
            fields.implementation = value
    try:
        fields.flat_metadata = flatten(fields.metadata)
    except ValueError as error:
        raise invalid(f"{id}: {error}", span) from None
    return fields


def invalid(message: str, span: Span | None, hint: str | None = None) -> HostError:
    """The error of a faulty declaration."""
    return HostError(message, code="capability/invalid", span=span, hint=hint)


def place_of(form: Any) -> Span | None:
    """The place of a value in its source, if the reader recorded it."""
    info = getattr(form, "info", None)
    if info is None or getattr(info, "source", None) is None:
        return None
    from rtfs.source import Span

    return Span(info.source, info.start, info.end)


def _text(id: str, key: str, value: Any, where: Span | None) -> str | None:
    if value.__class__ is Keyword or value.__class__ is Symbol:
        return str(value.name)
    if value is None:
        return None if key == "provider" else ""
    if value.__class__ is not str:
        if key == "provider" and value.__class__ is Map:  # {:type :mcp …}, found in the wild
            inner = value.get(Keyword("type")) or value.get("type")
            return _text(id, key, inner, where)
        raise invalid(f"{id}: :{key} is a string, not {_show(value)}", where)
    return str(value)


def _tags(id: str, key: str, value: Any, where: Span | None) -> tuple[str, ...]:
    if value is None:
        return ()
    items = list(value) if value.__class__ is Vector or value.__class__ is List else [value]
    tags = []
    for item in items:
        if item.__class__ is Keyword or item.__class__ is Symbol:
            tags.append(str(item.name))
        elif item.__class__ is str:
            tags.append(item.removeprefix(":"))
        else:
            raise invalid(f"{id}: :{key} holds keywords or strings, not {_show(item)}", where)
    return tuple(tags)


def _with_comments(form: Any) -> Any:
    """The schema with its `;; optional` comments applied, if it is still as it was read (the compiler does the
    same)."""
    if getattr(form, "info", None) is None:
        return form
    from rtfs.types.comments import apply_comments

    return apply_comments(form)


def _type(id: str, key: str, form: Any, where: Span | None, resolve: Any) -> Type | None:
    if form is None or (form.__class__ is Keyword and form.name == "any"):
        return None
    from rtfs.types import parse_type
    from rtfs.values import UserError

    try:
        return parse_type(form, resolve) if resolve is not None else parse_type(form)
    except UserError as error:
        raise invalid(f"{id}: :{key}: {error.message}", error.span or where, hint=error.hint) from None


def _unknown(id: str, name: Any) -> str:
    from rtfs.syntax.suggest import did_you_mean

    near = did_you_mean(str(name), KEYS)
    return f"{id}: unknown key :{name} is ignored" + (f" (did you mean :{near}?)" if near else "")


def _show(value: Any) -> str:
    from rtfs.syntax.printer import to_text

    text = to_text(value)
    return text if len(text) <= 60 else text[:57] + "…"
