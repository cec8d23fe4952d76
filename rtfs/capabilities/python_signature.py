"""Calls of a Python function as a capability: its parameters by name, with the types of its annotations.

Must not know hosts or runs. Invariant: what a function is given fits the annotations of its parameters; a function
whose parameters have no names of their own (`lambda request: …`, `def f(request: dict)`, `*args` alone) gets the
arguments of a call as they are.

A function has named parameters if it takes several, only by keyword, or one that is annotated as something else than a
map or an object. Annotations of the usual kinds (`int`, `str | None`, `list[str]`, `Literal["a"]` …) are read here;
pydantic reads all others, and is imported only for them.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping

from rtfs.capabilities.docstrings import docstring
from rtfs.capabilities.signature import Signature
from rtfs.types.basic import ANY, BOOL, INT, MAP, NIL, NUMBER, STRING, VECTOR
from rtfs.types.record import Field, Record
from rtfs.types.shapes import VectorOf
from rtfs.types.unions import Enum, union
from rtfs.values import HostError, Keyword, List, Map, Set, Symbol, TypeMismatch, Vector
from rtfs.values.convert import from_python, to_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types.type import Type

_EMPTY = inspect.Parameter.empty
_PLAIN: dict[Any, Type] = {
    _EMPTY: ANY,
    typing.Any: ANY,
    object: ANY,
    Map: MAP,
    dict: MAP,
    Vector: VECTOR,
    list: VECTOR,
    str: STRING,
    int: INT,
    float: NUMBER,
    bool: BOOL,
    None: NIL,
    types.NoneType: NIL,
}
_SCALARS = (str, int, float, bool, None, types.NoneType, Keyword, Symbol)
_OURS: frozenset[Any] = frozenset((_EMPTY, typing.Any, object, *_SCALARS, Map, Vector, List, Set))
"""Annotations whose values are handed over as they are."""
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_WHOLE = (_EMPTY, typing.Any, object, Map, dict, Mapping)
"""Annotations of an only parameter that takes the arguments as they are."""


class Calling:
    """The signature and docstring of a Python function.

    description: the first paragraph of its docstring. input, output: types of the arguments and of the answer, or None
    where nothing is said. signature: names and order of its parameters, or None where they have none. call: the
    function as it is called with the call's arguments. takes_nothing: whether it can be called without any, as far as
    it says.
    """

    __slots__ = ("call", "description", "input", "output", "signature", "takes_nothing")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.call = function
        self.input: Type | None = None
        self.signature: Signature | None = None
        self.takes_nothing = False
        parameters, answer = _read(function)
        self.description, said = docstring(function)
        self.output = _answer(answer)
        if parameters is None:
            return
        self.takes_nothing = all(one.default is not _EMPTY or one.kind in _VARIABLE for one in parameters)
        if len(parameters) == 1 and parameters[0].kind in _BY_POSITION:
            only = parameters[0]
            if _base(only.annotation) in _WHOLE:
                return
            if _is_object(only.annotation):
                self.input, convert = _type(only.annotation)
                self.call = _with_one(function, convert)
                return
        if parameters and all(one.kind == inspect.Parameter.VAR_POSITIONAL for one in parameters):
            return
        self._name(function, parameters, said)

    def _name(self, function: Callable[..., Any], parameters: list[inspect.Parameter], said: dict[str, str]) -> None:
        fields: list[Field] = []
        converts: dict[str, Callable[[Any], Any]] = {}
        kinds: dict[inspect._ParameterKind, list[str]] = {kind: [] for kind in inspect._ParameterKind}
        needed: list[str] = []
        for one in parameters:
            kinds[one.kind].append(one.name)
            if one.kind == inspect.Parameter.VAR_KEYWORD:
                continue
            field, convert = _field(one, said)
            fields.append(field)
            if convert is not None:
                converts[one.name] = convert
            if not field.optional:
                needed.append(one.name)
        only, either, more, named, further = kinds.values()
        rest = more[0] if more else None
        self.input = Record(fields, ANY if further else None)
        if not further:
            first = next(iter(only + either), None)
            whole = rest is not None if first is None else fields[0].type.accepts(Map())
            self.signature = Signature(
                (*only, *either, *named),
                tuple(needed),
                rest=rest,
                any_first=whole,
                map_names=not whole,
                positional=len(only + either),
            )
        self.call = _by_name(function, tuple(only), tuple(either), rest, converts)


def _field(one: inspect.Parameter, said: dict[str, str]) -> tuple[Field, Callable[[Any], Any] | None]:
    """A parameter as a field of the input, and what makes its Python value."""
    type, convert = _type(one.annotation)
    about: dict[str, Any] = {"description": said[one.name]} if one.name in said else {}
    if one.kind == inspect.Parameter.VAR_POSITIONAL:
        return Field(Keyword(one.name), VectorOf(type), True, about), None
    if one.default is _EMPTY:
        return Field(Keyword(one.name), type, False, about), convert
    if one.default is None and type is not ANY:
        type = union((type, NIL))
    shown = _shown(one.default)
    if shown is not None:
        about["default"] = shown
    return Field(Keyword(one.name), type, True, about), convert


def type_of(annotation: Any) -> Any:
    """The type expression of a Python type, as `input_schema=` and `output_schema=` take one: a class, a pydantic
    model, `list[str]` … Raises HostError `capability/invalid` for what has no JSON Schema."""
    type, _ = _type(annotation, strict=True)
    return type.form


def _read(function: Callable[..., Any]) -> tuple[list[inspect.Parameter] | None, Any]:
    """The parameters of a function with resolved annotations, None if it does not say; and that of its answer."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None, _EMPTY
    target: Any = inspect.unwrap(function)
    while hasattr(target, "func") and not hasattr(target, "__code__"):  # functools.partial
        target = target.func
    if not hasattr(target, "__code__") and not isinstance(target, types.MethodType):
        target = type(target).__call__
    try:
        hints = typing.get_type_hints(target, include_extras=True)
    except Exception:  # a name that exists for type checkers only, or whatever else an annotation may do
        hints = {}
    found = []
    for one in signature.parameters.values():
        annotation = hints.get(one.name, one.annotation)
        found.append(one.replace(annotation=typing.Any if isinstance(annotation, str) else annotation))
    answer = hints.get("return", signature.return_annotation)
    return found, _EMPTY if isinstance(answer, str) else answer


def _base(annotation: Any) -> Any:
    """The class that a generic annotation is of: `dict` of `dict[str, int]`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _base(typing.get_args(annotation)[0])
    if origin is None:
        return annotation
    return dict if isinstance(origin, type) and issubclass(origin, Mapping) else origin


def _is_object(annotation: Any) -> bool:
    """A pydantic model, a dataclass or a TypedDict (of `typing` or of `typing_extensions`)."""
    return isinstance(annotation, type) and (
        hasattr(annotation, "model_json_schema")
        or hasattr(annotation, "__dataclass_fields__")
        or hasattr(annotation, "__required_keys__")
    )


def _type(annotation: Any, strict: bool = False) -> tuple[Type, Callable[[Any], Any] | None]:
    """The type of a parameter, and what makes its Python value of an RTFS value (None: it is handed over as it is).
    strict: what has no schema is an error, not any."""
    plain = _plain(annotation)
    if plain is not None:
        return plain, None if annotation in _OURS or _is_union_of_ours(annotation) else to_python
    if isinstance(annotation, type) and annotation in _OURS:
        return ANY, None
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError

    from rtfs.types.from_schema import type_from_json_schema

    try:
        adapter = TypeAdapter(annotation)
        return type_from_json_schema(adapter.json_schema()), _converter(adapter)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError, TypeError) as error:
        if not strict and hasattr(
            annotation, "__required_keys__"
        ):  # before Python 3.12, pydantic wants typing_extensions'
            return MAP, to_python
        if strict:
            message = f"{annotation!r} has no JSON Schema: {str(error).splitlines()[0]}"
            raise HostError(message, code="capability/invalid") from None
        return ANY, None


def _is_union_of_ours(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return True
    return origin in (typing.Union, types.UnionType) and all(
        member in _OURS or _is_union_of_ours(member) for member in typing.get_args(annotation)
    )


def _plain(annotation: Any) -> Type | None:
    """The type of an annotation of the usual kinds, else None."""
    try:
        found = _PLAIN.get(annotation)
    except TypeError:
        return None
    if found is not None:
        return found
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        if all(value.__class__ in (str, int, bool, type(None)) for value in inner):
            return Enum(inner)
        return None
    if origin in (typing.Union, types.UnionType):
        members = [_plain(member) for member in inner]
        return None if any(member is None for member in members) else union([one for one in members if one is not None])
    if origin is list:
        item = _plain(inner[0])
        return None if item is None else VECTOR if item is ANY else VectorOf(item)
    if origin is dict and inner[0] is str:
        item = _plain(inner[1])
        return None if item is None else MAP if item is ANY else Record((), item)
    return None


def _converter(adapter: Any) -> Callable[[Any], Any]:
    from pydantic import ValidationError

    def convert(value: Any) -> Any:
        try:
            return adapter.validate_python(to_python(value))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise TypeMismatch("type/mismatch", f"{where}: {first['msg']}" if where else first["msg"]) from None

    return convert


def _answer(annotation: Any) -> Type | None:
    """The type of an answer, None where nothing is said of it."""
    if annotation is _EMPTY or annotation in (None, types.NoneType):
        return None
    found, _ = _type(annotation)
    return None if found is ANY else found


def _with_one(function: Callable[..., Any], convert: Callable[[Any], Any] | None) -> Callable[..., Any]:
    return function if convert is None else lambda value: function(convert(value))


def _by_name(
    function: Callable[..., Any],
    only: tuple[str, ...],
    either: tuple[str, ...],
    rest: str | None,
    converts: dict[str, Callable[[Any], Any]],
) -> Callable[..., Any]:
    """The function, called with the arguments that one map names. only: parameters that Python takes by position only.
    either: those that are given by position where `rest`, the parameter of all further ones, gets some."""

    def call(arguments: Any = None) -> Any:
        raw = {} if arguments is None else arguments.raw()  # names are no odd keys
        given = {key.name if key.__class__ is Keyword else key: value for key, value in raw.items()}
        if converts:
            for name, value in given.items():
                convert = converts.get(name)
                if convert is not None:
                    given[name] = convert(value)
        if not only and rest is None:
            return function(**given)
        further = () if rest is None else given.pop(rest, ())
        placed = (*only, *either) if further else only
        first = [given.pop(name) for name in placed if name in given]
        return function(*first, *further, **given)

    return call


def _shown(default: Any) -> Any:
    """A default as it is shown to people and models; None for what says nothing."""
    try:
        return from_python(default, keywords=True)
    except (TypeError, ValueError):
        return None
