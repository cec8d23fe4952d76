"""From JSON Schema (any draft, OpenAPI's spellings too) to types.

What the language cannot say is left out, so that the type takes at least what the schema takes; `notes` says what was
left out and where. A schema is foreign data: whatever it is (deep, cyclic, huge, of wrong shapes), reading it ends soon
and with a type, at worst `any`. A schema without `type` means the kinds that its other keywords speak of.
"""

from __future__ import annotations

from rtfs.types.basic import ANY, BOOL, INT, KEYWORD, MAP, NEVER, NIL, NUMBER, SET, STRING, VECTOR
from rtfs.types.malformed import Malformed
from rtfs.types.predicates import Predicate, make_predicate
from rtfs.types.record import Field, Record
from rtfs.types.shapes import MapOf, SetOf, Tuple, VectorOf
from rtfs.types.unions import And, Enum, union
from rtfs.values import Map, Vector
from rtfs.values.keyword import Keyword, is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.type import Type

MAX_DEPTH = 30
MAX_NODES = 10_000
MAX_NOTES = 100
MAX_TEXT = 2_000
"""Characters of a description that are kept."""

_KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_SPEAKS = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
    ),
}
_UNSAID = (
    "if",
    "multipleOf",
    "contains",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
)
_FORMATS = {"uri": "is-url", "url": "is-url", "iri": "is-url", "email": "is-email", "idn-email": "is-email"}


def from_json_schema(schema: Any, notes: list[str] | None = None, *, arguments: bool = False) -> Any:
    """The type expression for a JSON Schema (parsed JSON: dict or bool). Never raises.

    notes: a list that gets a line for each thing the type does not say ("#/properties/a: …"). arguments: it is a
    schema of arguments, where what has a default may be left out, also if it is called required.
    """
    return type_from_json_schema(schema, notes, arguments=arguments).form


def type_from_json_schema(schema: Any, notes: list[str] | None = None, *, arguments: bool = False) -> Type:
    """Like `from_json_schema`, giving the type itself."""
    reader = _Reader(schema, notes if notes is not None else [], arguments)
    try:
        return reader.read(schema, "#", 0, None)
    except RecursionError:
        return ANY


class _Reader:
    def __init__(self, root: Any, notes: list[str], arguments: bool) -> None:
        self.root = root
        self.arguments = arguments
        self.notes = notes
        self.left = MAX_NODES
        self.following: list[str] = []

    def note(self, place: str, text: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(f"{place[:200]}: {text}")

    def read(self, schema: Any, place: str, depth: int, inherited: list[str] | None) -> Type:
        """inherited: the kinds that a schema around this one allows anyway."""
        self.left -= 1
        if schema is True:
            return ANY
        if schema is False:
            return NEVER
        if not isinstance(schema, dict):
            self.note(place, "this is not a schema")
            return ANY
        if depth > MAX_DEPTH or self.left < 0:
            self.note(place, "nested too deep" if self.left >= 0 else "too large; the rest is any")
            return ANY
        for key in _UNSAID:
            if key in schema:
                self.note(place, f"{key} is not checked")
        kinds = _named_kinds(schema)
        spoken = _spoken_kinds(schema)
        told = kinds if kinds is not None else inherited
        parts: list[Type] = []
        predicates: list[Predicate] = []
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            if key in schema:
                parts.append(self.reference(schema[key], place, depth))
        values = self.values(schema, place, depth)
        if values is not None:
            parts.append(values if kinds is None else _only_kinds(values, kinds))
            kinds = kinds if spoken else None
        elif kinds is None and spoken is not None:
            kinds = inherited if inherited is not None else spoken
        if kinds is not None:
            parts.append(union(self.kind(kind, schema, place, depth) for kind in kinds))
        parts += self.all_of(schema, place, depth, told)
        for key in ("anyOf", "oneOf"):
            options = schema.get(key)
            if isinstance(options, list) and options:
                read = [self.read(one, f"{place}/{key}/{n}", depth + 1, told) for n, one in _some(options, self.left)]
                parts.append(union(read) if ANY not in read and len(read) == len(options) else ANY)
        if "not" in schema:
            self.negation(schema["not"], place, parts, predicates)
        return _both(parts, predicates)

    def all_of(self, schema: dict[Any, Any], place: str, depth: int, told: list[str] | None) -> list[Type]:
        options = schema.get("allOf")
        if not isinstance(options, list):
            return []
        for one in options[: self.left + 1]:
            named = _named_kinds(one) if isinstance(one, dict) else None
            if named is not None:
                told = named if told is None else [kind for kind in told if kind in named] or named
        return [self.read(one, f"{place}/allOf/{n}", depth + 1, told) for n, one in _some(options, self.left)]

    def reference(self, ref: Any, place: str, depth: int) -> Type:
        if not isinstance(ref, str):
            return ANY
        if isinstance(self.root, dict) and isinstance(self.root.get("$id"), str) and self.root["$id"]:
            ref = ref.removeprefix(self.root["$id"]) or "#"
        if ref in self.following:
            self.note(place, f"{ref} is recursive; any from here on")
            return ANY
        found, target = _point(self.root, ref)
        if not found:
            self.note(place, f"{ref[:100]} is not to be found here")
            return ANY
        self.following.append(ref)
        try:
            return self.read(target, ref, depth + 1, None)
        finally:
            self.following.pop()

    def values(self, schema: dict[Any, Any], place: str, depth: int) -> Type | None:
        if "const" in schema:
            return self.constants([schema["const"]], place, depth)
        options = schema.get("enum")
        return self.constants(options, place, depth) if isinstance(options, list) and options else None

    def constants(self, options: list[Any], place: str, depth: int) -> Type:
        """The type of some JSON values; keys of objects in either spelling."""
        self.left -= len(options)
        if self.left < 0 or depth > MAX_DEPTH:
            self.note(place, "too many values to list; any")
            return ANY
        scalars: dict[tuple[type, Any], None] = {}
        types: list[Type] = []
        for value in options:
            if value is None or value.__class__ in (bool, int, float, str):
                scalars[value.__class__, value] = None
            elif isinstance(value, list):
                types.append(Tuple(tuple(self.constants([one], place, depth + 1) for one in value)))
            elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
                fields = [Field(_key(key), self.constants([one], place, depth + 1)) for key, one in value.items()]
                types.append(Record(fields, NEVER))
            else:
                return ANY
        return union(([Enum([value for _, value in scalars])] if scalars else []) + types)

    def negation(self, schema: Any, place: str, parts: list[Type], predicates: list[Predicate]) -> None:
        if schema is True or schema == {}:
            parts.append(NEVER)
        elif isinstance(schema, dict) and (schema.keys() == {"const"} or schema.keys() == {"enum"}):
            options = schema["enum"] if "enum" in schema else [schema["const"]]
            for value in options if isinstance(options, list) else ():
                if value is None or value.__class__ in (bool, int, float, str):
                    predicates.append(make_predicate(Vector([Keyword("!="), value])))
                else:
                    self.note(place, "not is checked for plain values only")
        elif schema is not False:
            self.note(place, "not is not checked")

    def kind(self, kind: str, schema: dict[Any, Any], place: str, depth: int) -> Type:
        if kind == "null":
            return NIL
        if kind == "boolean":
            return BOOL
        if kind == "string":
            return _both([STRING], [*_sizes(schema, "Length", "length"), *self.text(schema, place)])
        if kind == "array":
            return self.array(schema, place, depth)
        if kind == "object":
            return self.object(schema, place, depth)
        return _both([INT if kind == "integer" else NUMBER], _bounds(schema))

    def text(self, schema: dict[Any, Any], place: str) -> list[Predicate]:
        found = []
        pattern, format = schema.get("pattern"), schema.get("format")
        if isinstance(pattern, str):
            try:
                found.append(make_predicate(Vector([Keyword("matches-regex"), pattern])))
            except Malformed as fault:
                self.note(place, f"the pattern is not checked: {fault.message[:200]}")
        if isinstance(format, str):
            if format in _FORMATS:
                found.append(make_predicate(Vector([Keyword(_FORMATS[format])])))
            else:
                self.note(place, f"the format {format[:50]} is not checked")
        return found

    def about(self, property: str, schema: Any) -> dict[str, Any]:
        """The description of a property in its schema, for people and models; titles that only repeat the name are left
        out."""
        found: dict[str, Any] = {}
        for name in ("title", "description"):
            text = schema.get(name) if isinstance(schema, dict) else None
            if isinstance(text, str) and (text := _plain_text(text)):
                found[name] = text
        if _letters(found.get("title", "")) == _letters(property):
            found.pop("title", None)
        if isinstance(schema, dict) and "default" in schema:
            try:
                found["default"] = _plain_value(schema["default"])
            except ValueError:
                pass
        return found

    def array(self, schema: dict[Any, Any], place: str, depth: int) -> Type:
        prefix, rest = schema.get("prefixItems"), schema.get("items", True)
        if isinstance(rest, list):
            prefix, rest = rest, schema.get("additionalItems", True)
        low, high = _count(schema, "minItems"), _count(schema, "maxItems")
        item = self.read(rest, f"{place}/items", depth + 1, None) if rest is not True else ANY
        if isinstance(prefix, list) and prefix:
            types = [self.read(one, f"{place}/prefixItems/{n}", depth + 1, None) for n, one in _some(prefix, self.left)]
            closed = item is NEVER or (high is not None and high <= len(prefix))
            if closed and low == len(prefix) == len(types) and (high is None or high >= low):
                return Tuple(tuple(types))
            self.note(place, "the places of elements are not checked")
            types = types if closed and len(types) == len(prefix) else [*types, item]
            item = ANY if ANY in types or len(types) < len(prefix) else union(types)
            if closed and high is None:
                schema = {**schema, "maxItems": len(prefix)}
        elif item is NEVER:
            return Tuple(()) if not low else NEVER
        if schema.get("uniqueItems") is True:
            whole: Type = SET if item is ANY else SetOf(item)
        else:
            whole = VECTOR if item is ANY else VectorOf(item)
        return _both([whole], _sizes(schema, "Items", "count"))

    def object(self, schema: dict[Any, Any], place: str, depth: int) -> Type:
        properties, needed = schema.get("properties"), schema.get("required")
        named = properties if isinstance(properties, dict) else {}
        required = [one for one in needed if isinstance(one, str)] if isinstance(needed, list) else []
        must = set(required)
        fields: dict[str, Field] = {}
        for name, one in named.items():
            if isinstance(name, str) and (self.left >= 0 or name in must):
                type = self.read(one, f"{place}/properties/{name}", depth + 1, None)
                optional = name not in must or (self.arguments and isinstance(one, dict) and "default" in one)
                fields[name] = Field(_key(name), type, optional, self.about(name, one))
        for name in required:
            if name not in fields:
                fields[name] = Field(_key(name), ANY)
        more = schema.get("additionalProperties")
        if "patternProperties" in schema or len(fields) < len(named):
            more = True
        # What is not said stays unsaid: arguments are refused that a schema does not speak of.
        rest = None if more is None else self.read(more, f"{place}/additionalProperties", depth + 1, None)
        made: Type = MAP
        if fields or rest is NEVER or (rest is None and isinstance(properties, dict)):
            made = Record(fields.values(), rest)
        elif rest is not None and rest is not ANY:
            made = MapOf(union((STRING, KEYWORD)), rest)
        parts = [made]
        if isinstance(schema.get("propertyNames"), dict):
            names = self.read(schema["propertyNames"], f"{place}/propertyNames", depth + 1, ["string"])
            if names is not STRING and names is not ANY:
                parts.append(MapOf(union((names, KEYWORD)), ANY))
        return _both(parts, _sizes(schema, "Properties", "count"))


def _letters(text: str) -> str:
    return "".join([c for c in text.casefold() if c.isalnum()])


def _plain_text(text: str) -> str:
    """A foreign text for people: without control and invisible characters, and not endless."""
    clean = "".join([c if c == "\n" or c.isprintable() else " " for c in text.replace("\r\n", "\n")]).strip()
    return clean if len(clean) <= MAX_TEXT else clean[: MAX_TEXT - 1] + "…"


def _plain_value(value: Any, left: int = 50) -> Any:
    """A small JSON value as a value of the language; ValueError for others."""
    if value is None or value.__class__ in (bool, int):
        return value
    if value.__class__ is float and value - value == 0:
        return value
    if value.__class__ is str and len(value) <= MAX_TEXT and value.isprintable():
        return value
    if value.__class__ is list and len(value) <= left:
        return Vector([_plain_value(one, left // 4) for one in value])
    if value.__class__ is dict and len(value) <= left and all(isinstance(key, str) for key in value):
        return Map([(_key(key), _plain_value(one, left // 4)) for key, one in value.items()])
    raise ValueError("it is not shown")


def _named_kinds(schema: dict[Any, Any]) -> list[str] | None:
    named = schema.get("type")
    if isinstance(named, str):
        named = [named]
    if not isinstance(named, list):
        return None
    kinds = [kind for kind in dict.fromkeys(one for one in named if isinstance(one, str)) if kind in _KINDS]
    if not kinds or len(kinds) < len(named):
        return None
    if schema.get("nullable") is True and "null" not in kinds:
        kinds.append("null")
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    return kinds


def _spoken_kinds(schema: dict[Any, Any]) -> list[str] | None:
    return [kind for kind, keys in _SPEAKS.items() if any(key in schema for key in keys)] or None


def _only_kinds(values: Type, kinds: list[str]) -> Type:
    """The constants that have one of the given kinds."""
    tests = {"null": NIL, "boolean": BOOL, "integer": INT, "number": NUMBER, "string": STRING}
    allowed = [tests[kind] for kind in kinds if kind in tests]
    if isinstance(values, Enum):
        kept = [value for value in values.values if any(type.accepts(value) for type in allowed)]
        return Enum(kept) if kept else NEVER
    return values


def _both(parts: list[Type], predicates: list[Predicate]) -> Type:
    """All of these at once, as simple as it can be said."""
    types: dict[Type, None] = {}
    conditions: dict[Predicate, None] = {}
    for part in parts:
        for one in part.types if isinstance(part, And) else (part,):
            if one is not ANY:
                types[one] = None
        if isinstance(part, And):
            conditions.update(dict.fromkeys(part.predicates))
    conditions.update(dict.fromkeys(predicates))
    if NEVER in types:
        return NEVER
    if not types:
        types[ANY] = None
    if len(types) == 1 and not conditions:
        return next(iter(types))
    return And(tuple(types), tuple(conditions))


def _some(options: list[Any], left: int) -> list[tuple[int, Any]]:
    return list(enumerate(options[: max(left, 0)]))


def _key(name: str) -> Any:
    return Keyword(name) if is_keyword_name(name) and name != "*" else name


def _count(schema: dict[Any, Any], key: str) -> int | None:
    value = schema.get(key)
    if value.__class__ is float and value == value // 1 and abs(value) < 1e15:
        value = int(value)
    return value if value.__class__ is int and value >= 0 else None


def _sizes(schema: dict[Any, Any], what: str, word: str) -> list[Predicate]:
    low, high = _count(schema, "min" + what), _count(schema, "max" + what)
    if low is not None and low == high:
        return [make_predicate(Vector([Keyword(word), low]))]
    found = []
    if low:
        found.append(make_predicate(Vector([Keyword("min-" + word), low])))
    if high is not None:
        found.append(make_predicate(Vector([Keyword("max-" + word), high])))
    return found


def _bounds(schema: dict[Any, Any]) -> list[Predicate]:
    found = []
    for plain, strict, name in (("minimum", "exclusiveMinimum", ">"), ("maximum", "exclusiveMaximum", "<")):
        bound, edge = schema.get(plain), schema.get(strict)
        if _is_number(bound):
            # Draft 4 has `exclusiveMinimum: true` beside the bound.
            found.append(make_predicate(Vector([Keyword(name if edge is True else name + "="), bound])))
        if _is_number(edge):
            found.append(make_predicate(Vector([Keyword(name), edge])))
    return found


def _is_number(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is float and value - value == 0)


def _point(root: Any, ref: str) -> tuple[bool, Any]:
    """The target of a local JSON pointer (`#/$defs/a`). Source: RFC 6901."""
    if ref in ("", "#"):
        return True, root
    if not ref.startswith("#/"):
        return False, None
    found = root
    for part in ref[2:].split("/"):
        step = _unescape(part)
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and len(step) < 10 and int(step) < len(found):
            found = found[int(step)]
        else:
            return False, None
    return True, found


def _unescape(part: str) -> str:
    if "%" in part:
        pieces = part.split("%")
        raw = pieces[0].encode("utf-8", "surrogatepass")
        for piece in pieces[1:]:
            try:
                raw += bytes.fromhex(piece[:2]) + piece[2:].encode("utf-8", "surrogatepass")
            except ValueError:
                return part
        part = raw.decode("utf-8", "replace")
    return part.replace("~1", "/").replace("~0", "~")
