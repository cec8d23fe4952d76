"""From types to JSON Schema (2020-12).

Keywords and symbols are strings there, lists are arrays, sets arrays of `uniqueItems`, functions have no schema
(anything). Aliases become `$defs`.
Invariant: what fits the type fits the schema once it is JSON; the reverse holds where JSON Schema can say it.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.basic import ANY, KEYWORD, NEVER, SET, STRING, Base, Resource
from rtfs.types.record import Record
from rtfs.types.shapes import Array, ListOf, MapOf, SetOf, Tuple, VectorOf
from rtfs.types.unions import And, Enum, Union
from rtfs.values import List, Map, Set, Symbol, Vector
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.predicates import Predicate
    from rtfs.types.record import Field
    from rtfs.types.type import Type

    Schema = dict[str, Any]

_BASE: dict[str, str] = {
    "nil": "null",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "number": "number",
    "string": "string",
    "keyword": "string",
    "symbol": "string",
    "vector": "array",
    "list": "array",
    "map": "object",
}
_ALL = ("null", "boolean", "number", "string", "array", "object")
_COUNTS = {"string": "Length", "array": "Items", "object": "Properties"}
_BOUNDS = {">": "exclusiveMinimum", ">=": "minimum", "<": "exclusiveMaximum", "<=": "maximum"}


def to_json_schema(type: Type) -> dict[str, Any]:
    """The JSON Schema of a type, a fresh dict without `$schema`. A name at the top is written out, so that a record
    stays `{"type": "object", …}` as tool descriptions need it. Source: JSON Schema 2020-12, core and validation."""
    writer = _Writer()
    seen: list[Type] = []
    while isinstance(type, Alias) and not any(one is type for one in seen):
        seen.append(type)
        type = type.target
    schema = writer.write(type)
    while writer.pending:
        alias = writer.pending.pop(0)
        writer.definitions[writer.names[id(alias)]] = writer.write(alias.target)
    if writer.definitions:
        schema = {**schema, "$defs": writer.definitions}
    return schema


class _Writer:
    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.pending: list[Alias] = []
        self.definitions: Schema = {}

    def write(self, type: Type) -> Schema:
        if isinstance(type, Base):
            if type is NEVER:
                return {"not": {}}
            if type is SET:
                return {"type": "array", "uniqueItems": True}
            return {"type": _BASE[type.name]} if type.name in _BASE else {}
        if isinstance(type, Alias):
            return {"$ref": "#/$defs/" + self.name(type).replace("~", "~0").replace("/", "~1").replace("%", "%25")}
        if isinstance(type, Record):
            return self.record(type)
        if isinstance(type, (VectorOf, ListOf)):
            return self.array(type.item)
        if isinstance(type, SetOf):
            return {**self.array(type.item), "uniqueItems": True}
        if isinstance(type, Union):
            return self.union(type)
        if isinstance(type, Enum):
            return _enum(type)
        if isinstance(type, And):
            return self.conjunction(type)
        if isinstance(type, Tuple):
            return self.tuple(type)
        if isinstance(type, Array):
            count = type.dims[0]
            size = {} if count is None else {"minItems": count, "maxItems": count}
            return {**self.array(type.inner), **size}
        if isinstance(type, MapOf):
            return self.map_of(type)
        if isinstance(type, Resource):
            return {"type": "string", "pattern": "^resource://"}
        return {}

    def name(self, alias: Alias) -> str:
        name = self.names.get(id(alias))
        if name is None:
            taken = set(self.names.values())
            name, count = alias.name, 1
            while name in taken:
                count += 1
                name = f"{alias.name}_{count}"
            self.names[id(alias)] = name
            self.pending.append(alias)
        return name

    def array(self, item: Type) -> Schema:
        items = self.write(item)
        return {"type": "array", "items": items} if items else {"type": "array"}

    def tuple(self, type: Tuple) -> Schema:
        count = len(type.items)
        if not count:
            return {"type": "array", "maxItems": 0}
        parts = [self.write(item) for item in type.items]
        return {"type": "array", "prefixItems": parts, "items": False, "minItems": count, "maxItems": count}

    def map_of(self, type: MapOf) -> Schema:
        schema: Schema = {"type": "object"}
        value = self.write(type.value)
        if value:
            schema["additionalProperties"] = value
        keys = type.key.members if isinstance(type.key, Union) else (type.key,)
        if all(isinstance(key, (And, Enum)) or key in (STRING, KEYWORD) for key in keys):
            told = [key for key in keys if key is not KEYWORD] if len(keys) > 1 else list(keys)
            if STRING not in told and told != [KEYWORD]:
                names = [self.write(key) for key in told]
                schema["propertyNames"] = names[0] if len(names) == 1 else {"anyOf": names}
        return schema

    def record(self, type: Record) -> Schema:
        schema: Schema = {"type": "object"}
        if type.fields:
            schema["properties"] = {field.name: {**self.write(field.type), **_about(field)} for field in type.fields}
        required = list(dict.fromkeys(field.name for field in type.fields if not field.optional))
        if required:
            schema["required"] = required
        if type.rest is NEVER:
            schema["additionalProperties"] = False
        elif type.rest is not None:
            schema["additionalProperties"] = True if type.rest is ANY else self.write(type.rest)
        return schema

    def union(self, type: Union) -> Schema:
        parts: list[Schema] = []
        for member in type.members:
            part = self.write(member)
            if part not in parts:
                parts.append(part)
        if len(parts) == 1:
            return parts[0]
        if {} in parts:
            return {}
        if all(part.keys() == {"type"} and part["type"].__class__ is str for part in parts):
            names = [part["type"] for part in parts]
            if "number" in names and "integer" in names:
                names.remove("integer")
            return {"type": names[0] if len(names) == 1 else names}
        one, last = parts[0], parts[-1]
        plain = one.get("type").__class__ is str and not one.keys() & {"enum", "const", "allOf", "anyOf", "not", "$ref"}
        if len(parts) == 2 and last == {"type": "null"} and plain:
            return {**one, "type": [one["type"], "null"]}
        return {"anyOf": parts}

    def conjunction(self, type: And) -> Schema:
        schema = self.write(type.types[0])
        for other in type.types[1:]:
            schema = _merge(schema, self.write(other))
        for predicate in type.predicates:
            schema = _narrow(schema, _kinds_of(predicate))
            if schema == {"not": {}}:
                return schema
            schema = _merge(schema, _condition(predicate, _kinds(schema)))
        return schema


def _about(field: Field) -> Schema:
    """The annotations of a field that JSON Schema has a keyword for."""
    found: Schema = {}
    for name in ("title", "description", "default", "examples"):
        if name in field.about:
            try:
                found[name] = json_value(field.about[name])
            except ValueError:
                continue
    return found


def _kinds(schema: Schema) -> tuple[str, ...]:
    named = schema.get("type")
    if named is None:
        return _ALL
    return tuple(named) if isinstance(named, list) else (named,)


def _narrow(schema: Schema, kinds: tuple[str, ...]) -> Schema:
    """The schema for some kinds of values only."""
    left = [kind for kind in _kinds(schema) if kind in kinds or (kind == "integer" and "number" in kinds)]
    if not left:
        return {"not": {}}
    if "type" not in schema and (len(left) == len(_ALL) or "enum" in schema or "const" in schema):
        return schema
    return {**schema, "type": left[0] if len(left) == 1 else left}


def _merge(schema: Schema, more: Schema) -> Schema:
    """Both at once: side by side where no keyword meets itself, else under allOf."""
    clash = {key for key in schema.keys() & more.keys() if schema[key] != more[key]}
    objects = {"properties", "required", "additionalProperties"}
    if clash == {"required"} and "properties" not in more:
        return {**schema, "required": list(dict.fromkeys(schema["required"] + more["required"]))}
    closed = "additionalProperties" in schema or "additionalProperties" in more
    if not clash and not (closed and more.keys() & objects):
        return {**schema, **more}
    return {**schema, "allOf": [*schema.get("allOf", ()), more]}


def _kinds_of(predicate: Predicate) -> tuple[str, ...]:
    name = predicate.name
    if name in _BOUNDS:
        return ("string",) if predicate.args[0].__class__ is str else ("number",)
    if name == "in-range":
        return ("number",)
    if name in ("=", "!="):
        return _ALL
    if name in ("has-key", "required-keys"):
        return ("object",)
    if name in ("matches-regex", "is-url", "is-email"):
        return ("string",)
    return tuple(_COUNTS)


def _condition(predicate: Predicate, kinds: tuple[str, ...]) -> Schema:
    name, args = predicate.name, predicate.args
    if name in _BOUNDS:
        return {_BOUNDS[name]: args[0]} if _is_bound(args[0]) else {}
    if name == "in-range":
        both = {"minimum": args[0], "maximum": args[1]}
        return {key: bound for key, bound in both.items() if _is_bound(bound)}
    if name in ("=", "!="):
        try:
            value = json_value(args[0])
        except ValueError:
            return {}
        return {"const": value} if name == "=" else {"not": {"const": value}}
    if name == "matches-regex":
        return {"pattern": args[0]}
    if name in ("is-url", "is-email"):
        return {"format": "uri" if name == "is-url" else "email"}
    if name in ("has-key", "required-keys"):
        keys = args if name == "has-key" else tuple(args[0])
        return {"required": [key if key.__class__ is str else key.name for key in keys if _is_name(key)]}
    return _sizes(name, args[0] if args else 1, kinds)


def _sizes(name: str, count: int, kinds: tuple[str, ...]) -> Schema:
    sides = {"min": ("min",), "non": ("min",), "max": ("max",)}.get(name[:3], ("min", "max"))
    return {side + _COUNTS[kind]: count for kind in kinds if kind in _COUNTS for side in sides}


def _is_bound(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is float and value - value == 0)


def _is_name(value: Any) -> bool:
    return value.__class__ is str or value.__class__ is Keyword


def _enum(type: Enum) -> Schema:
    shown: list[Any] = []
    seen: set[Any] = set()
    for value in type.values:
        try:
            made = json_value(value)
        except ValueError:
            return {}
        mark = (made.__class__, made) if made.__class__ not in (list, dict) else None
        if mark is None or mark not in seen:
            seen.add(mark)
            shown.append(made)
    return {"const": shown[0]} if len(shown) == 1 else {"enum": shown}


def json_value(value: Any, depth: int = 50) -> Any:
    """A value as JSON has it. ValueError for what JSON cannot say."""
    if value is None or value.__class__ in (bool, str, int):
        return value
    if value.__class__ is float and _is_bound(value):
        return value
    if value.__class__ in (Keyword, Symbol):
        return value.name
    if depth and value.__class__ in (Vector, List, Set):
        return [json_value(part, depth - 1) for part in value]
    if depth and value.__class__ is Map and all(_is_name(key) for key in value.keys()):  # noqa: SIM118
        pairs = value.items()
        return {key if key.__class__ is str else key.name: json_value(part, depth - 1) for key, part in pairs}
    raise ValueError("JSON has no such value")
