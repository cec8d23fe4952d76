"""Converts the arguments of an implementation, and its result.

Must not know decisions. Invariants: arguments are values, not functions (except for the one capability that takes
functions); a result is a value, or an error that says what it was instead.
"""

from __future__ import annotations

from rtfs.syntax.canonical_text import canonical_text
from rtfs.values import HostError, Keyword, List, Map, Regex, Set, Symbol, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry

_FUNCTION = type(lambda: None)
VALUES = frozenset((type(None), bool, int, float, str, Keyword, Symbol, List, Vector, Map, Set, Regex, _FUNCTION))
_EMPTY = Map()
_NOTHING: dict[str, Any] = {}


def one_value(arguments: tuple[Any, ...]) -> Any:
    """Positional arguments as the one value that schemas and providers see: `{}`, the argument, or a vector of them."""
    if len(arguments) == 1:
        return arguments[0]
    return Vector(arguments) if arguments else _EMPTY


def given_arguments(entry: Entry, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments to call a Python function with: those of the call, or `{}` if there are none and the function takes
    one."""
    return arguments if arguments or entry.takes_nothing else (_EMPTY,)


def failed(error: BaseException) -> HostError:
    """A foreign exception of an implementation as the program sees it; the original stays its cause."""
    text = str(error)
    name = type(error).__name__
    return HostError(f"{name}: {text}" if text else name, code="capability/failed")


def call_inline(entry: Entry, arguments: tuple[Any, ...], told: dict[str, Any] = _NOTHING) -> Any:
    """Call a Python function at once, and return what it answers. told: further keyword arguments."""
    try:
        return entry.function(*(arguments if arguments or entry.takes_nothing else (_EMPTY,)), **told)
    except UserError:
        raise
    except Exception as error:
        raise failed(error) from error
    except BaseException as error:
        from asyncio import CancelledError

        if isinstance(error, CancelledError):  # its own: a call that awaits nothing is not cancelled
            raise failed(error) from error
        raise


def as_value(value: Any, entry: Entry) -> Any:
    """The result of Python code as an RTFS value: dicts and lists are converted, anything else is an error."""
    if value.__class__ in VALUES:
        return value
    try:
        made = _converted(value)
    except UserError:
        raise
    except ValueError as error:
        raise HostError(f'"{entry.id}" answered what has no RTFS value: {error}', code="capability/result") from None
    except Exception:
        raise HostError(
            f'"{entry.id}" answered a Python {type(value).__name__}, which is not an RTFS value',
            code="capability/result",
        ) from None
    return named_keys(made, entry)


def named_keys(value: Any, entry: Entry) -> Any:
    """An answer that came as JSON or Python data, with the keys of its maps as the output schema spells them."""
    if not entry.names_keys or entry.fields.output_type is None:
        return value
    from rtfs.types.json_keys import with_named_keys

    return with_named_keys(entry.fields.output_type, value)


def _converted(value: Any) -> Any:
    """Python data as an RTFS value; models, dataclasses, dates and the like become what they are in JSON."""
    from rtfs.values.convert import from_python

    try:
        return from_python(value, keywords=True)
    except TypeError:
        from pydantic_core import PydanticSerializationError, to_jsonable_python

        try:
            plain = to_jsonable_python(value)
        except PydanticSerializationError as error:
            raise TypeError(str(error)) from None
        return from_python(plain, keywords=True)


def read_shown(entry: Entry, text: str) -> Any:
    """The value of an answer's text after its secrets were removed. Raises HostError `capability/result` if the text is
    no longer a value."""
    from rtfs.api import read_value

    try:
        return read_value(text)
    except UserError:
        raise HostError(
            f'the server of "{entry.id}" put its caller\'s credential into its answer', code="capability/result"
        ) from None


def as_text(entry: Entry, arguments: tuple[Any, ...]) -> str:
    """Arguments as one text, for hashes and quotas: equal arguments have the same text, whatever the order of sets and
    maps. Named arguments are in the order of the parameters, as people read them."""
    if len(arguments) == 1:
        one = arguments[0]
        if entry.signature is None or one.__class__ is not Map:
            return canonical_text(one)
        named = [
            f"{':' + name.name if name.__class__ is Keyword else canonical_text(name)} {canonical_text(value)}"
            for name, value in one.items()
        ]
        return f"{{{' '.join(named)}}}"
    return " ".join([canonical_text(argument) for argument in arguments])


def whole_texts(entry: Entry, value: Any) -> Any:
    """A result in which every string is text: surrogates in pairs become the characters that they spell. Raises
    HostError `capability/result` for half a pair, which no text has."""
    try:
        return _repaired(value)
    except RecursionError:
        raise HostError(
            f'"{entry.id}" answered strings with surrogates, nested too deeply', code="capability/result"
        ) from None
    except UnicodeDecodeError:
        message = f'"{entry.id}" answered a string with half of a surrogate pair (\\ud800 to \\udfff)'
        raise HostError(message, code="capability/result") from None


def _repaired(value: Any) -> Any:
    kind = value.__class__
    if kind is str:
        whole: str = value.encode("utf-16", "surrogatepass").decode("utf-16")
        return value if whole == value else whole
    if kind is Map:
        return Map([(_repaired(key), _repaired(item)) for key, item in value.items()]).with_info(value.info)
    if kind is Vector or kind is List or kind is Set:
        return kind([_repaired(part) for part in value]).with_info(value.info)
    return value


def thunks_of(entry: Entry, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The functions of a concurrent call: given one by one or in one vector."""
    if len(arguments) == 1 and arguments[0].__class__ in (Vector, List):
        arguments = tuple(arguments[0])
    for argument in arguments:
        if argument.__class__ is not _FUNCTION:
            raise HostError(f'"{entry.id}" takes functions of no arguments', code="argument/function")
    return arguments


def refuse_functions(entry: Entry, arguments: tuple[Any, ...]) -> None:
    """Raise for a function anywhere in the arguments: functions stay in their machine."""
    pending = list(arguments)
    while pending:
        value = pending.pop()
        if value.__class__ is _FUNCTION:
            raise HostError(
                f'a function cannot be an argument of "{entry.id}"',
                code="argument/function",
                hint="call it first and pass what it returns",
            )
        if value.__class__ is Map:
            pending.extend(value.keys())
            pending.extend(value.values())
        elif value.__class__ in (Vector, List, Set):
            pending.extend(value)
