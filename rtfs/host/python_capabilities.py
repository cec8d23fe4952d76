"""Python functions as capabilities: the registry entries that `Runtime.register` makes of its arguments.

Must not know runs. Invariant: how a function is called (inline, in a thread, on which loop) is settled when it is
registered, not when it is called.
"""

from __future__ import annotations

import sys
from types import FunctionType

from rtfs.capabilities.declaration import Fields
from rtfs.capabilities.registry import ASYNC, EMBEDDER, INLINE, THREAD, Entry
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.python_signature import Calling

_COROUTINE = 0x80
_VARIABLE = 0x0C  # *args, **kwargs
_SCHEMA = frozenset(("$ref", "$schema", "allOf", "anyOf", "const", "enum", "items", "oneOf", "properties"))
"""Keys that only a JSON Schema has."""


def python_entry(
    id: str, function: Any, blocking: bool, described: dict[str, Any], warn: Callable[[str, Any], None]
) -> Entry:
    """The entry of a Python function. described: manifest fields as keyword arguments. Raises HostError
    `capability/invalid`."""
    if not isinstance(id, str) or not id.strip():
        raise HostError("a capability's id is a non-empty string", code="capability/invalid")
    if not callable(function):
        raise HostError(
            f'"{id}" needs a function, not a {type(function).__name__}', code="capability/invalid", capability=id
        )
    fields = Fields(id) if not described else _fields(id, described, warn)
    is_async = _is_async(function)
    fields.implementation = function
    calling = None if _says_nothing(function) else _calling(function, fields)
    if is_async and blocking:
        raise HostError(f'"{id}" is async: it cannot be blocking', code="capability/invalid", capability=id)
    entry = Entry(fields, EMBEDDER, ASYNC if is_async else THREAD if blocking else INLINE)
    if calling is not None:
        entry.signature, entry.takes_nothing = calling.signature, calling.takes_nothing
    if is_async and "asyncio" in sys.modules:
        from asyncio import _get_running_loop

        entry.loop = _get_running_loop()
    return entry


def _says_nothing(function: Any) -> bool:
    """Whether a function has one parameter and says nothing of it, as `lambda request: …`: it is given the arguments as
    they are. It is told here without `inspect`, whose import takes longer than starting RTFS."""
    code: Any = getattr(function, "__code__", None)
    return (
        type(function) is FunctionType
        and code.co_argcount == 1
        and not code.co_kwonlyargcount
        and not code.co_flags & _VARIABLE
        and not (function.__doc__ or function.__annotations__ or function.__defaults__ or function.__dict__)
    )


def _calling(function: Any, fields: Fields) -> Calling:
    """The signature of a function; its own description fills the gaps of the declaration."""
    from rtfs.capabilities.python_signature import Calling
    from rtfs.types.basic import MAP
    from rtfs.types.record import Record

    calling = Calling(function)
    declared = fields.input_type
    if declared is None:
        fields.input_type, fields.input_schema = calling.input, calling.input and calling.input.form
    elif declared is not MAP and not isinstance(declared, Record):  # what it gets is not a map of its parameters
        calling.signature, calling.call = None, function
    if fields.output_type is None and fields.output_schema is None:
        fields.output_type, fields.output_schema = calling.output, calling.output and calling.output.form
    fields.description = fields.description or calling.description
    fields.implementation = calling.call
    return calling


def _fields(id: str, described: dict[str, Any], warn: Callable[[str, Any], None]) -> Fields:
    from rtfs.capabilities.declaration import from_options
    from rtfs.values import Keyword, Map

    options = []
    for name, value in described.items():
        key = name.replace("_", "-")
        if key == "implementation":
            raise HostError(f'"{id}": the function is the implementation', code="capability/invalid", capability=id)
        options.append((Keyword(key), _form(key, value)))
    return from_options(id, Map(options), None, warn)


def _form(key: str, value: Any) -> Any:
    """A manifest field given in Python as the form a declaration would hold. Schemas are RTFS text, data with keywords
    as `":a"`, a type, a JSON Schema, or a Python type such as a pydantic model."""
    from types import UnionType

    from rtfs.types.type import Type
    from rtfs.values.convert import from_python

    if key in ("input-schema", "output-schema"):
        if isinstance(value, str):
            from rtfs.source import Source
            from rtfs.syntax.reader import read_forms

            forms = read_forms(Source(value, "<schema>"))
            if len(forms) != 1:
                raise HostError(f":{key} is one type expression", code="capability/invalid")
            return forms[0]
        if isinstance(value, Type):
            return value.form
        if _is_json_schema(value):
            from rtfs.types.from_schema import from_json_schema

            return from_json_schema(value, arguments=key == "input-schema")
        if isinstance(value, type) or getattr(value, "__origin__", None) is not None or isinstance(value, UnionType):
            from rtfs.capabilities.python_signature import type_of

            return type_of(value)
        return _keywords(from_python(value, keywords=True))
    if key == "flow":
        return from_python(_with_paths(value), keywords=True)
    if key in ("metadata", "provider-meta"):
        return from_python(value, keywords=True)
    return from_python(list(value) if isinstance(value, (set, frozenset)) else value)


def _is_json_schema(value: Any) -> bool:
    """Whether a schema given as a dict is a JSON Schema; the types in a record are texts like `":int"`."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    named = isinstance(kind, list) or (isinstance(kind, str) and not kind.startswith(":"))
    return named or any(key in _SCHEMA and not str(value[key]).startswith(":") for key in value)


def _with_paths(value: Any) -> Any:
    """`:flow` as Python data, where paths are tuples or texts with dots: `"[].body"` is `[* :body]`."""
    if not isinstance(value, dict) or not isinstance(value.get("result"), dict):
        return value
    from rtfs.values import Map, Vector, from_python

    result = []
    for path, what in value["result"].items():
        parts = path.replace("[]", ".*").split(".") if isinstance(path, str) else list(path)
        result.append((Vector([part for part in parts if part]), from_python(what, keywords=True)))
    return {**value, "result": Map(result)}


def _keywords(form: Any) -> Any:
    """Strings `":int"` in a schema written as Python data are keywords."""
    from rtfs.values import Keyword, Map, Vector

    if form.__class__ is str and form.startswith(":"):
        return Keyword(form[1:])
    if form.__class__ is Vector:
        return Vector(_keywords(item) for item in form)
    if form.__class__ is Map:
        return Map([(key, _keywords(value)) for key, value in form.items()])
    return form


def _is_async(function: Any) -> bool:
    while hasattr(function, "func") and not hasattr(function, "__code__"):  # functools.partial
        function = function.func
    code: Any = getattr(function, "__code__", None)
    if code is None:
        call = type(function).__dict__.get("__call__")  # an object with an async __call__
        code = getattr(call, "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)
