"""Errors in a configuration file, in terms of the file: its lines, its keys, and what to write instead.

Knows nothing of what settings mean. Invariant: every error has a place in the file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rtfs.source import Source, Span
from rtfs.syntax.suggest import did_you_mean
from rtfs.values import HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import yaml
    from pydantic import ValidationError

_OPENERS = {
    "while parsing a flow sequence": "`[`",
    "while parsing a flow mapping": "`{`",
    "while scanning a quoted scalar": "quote",
}
_KINDS = {
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
_SHOWN = 60


def broken_yaml(error: yaml.YAMLError, source: Source) -> HostError:
    """The error of a text that is not YAML, at the bracket or quote that is never closed if that is what is wrong."""
    problem = getattr(error, "problem", None) or str(error)
    opened = _span(source, getattr(error, "context_mark", None))
    found = _span(source, getattr(error, "problem_mark", None)) or opened or Span(source, 0, 1)
    opener = _OPENERS.get(getattr(error, "context", None) or "")
    unclosed = problem.startswith("expected ',' or") or "end of stream" in problem
    if opener is not None and opened is not None and unclosed:
        return HostError(
            f"this is not YAML: the {opener} of line {opened.line}, column {opened.column} is never closed",
            code="config/yaml",
            span=opened,
            notes=() if found.start >= len(source.text.rstrip()) else (("this cannot be inside it", found),),
        )
    hint = None
    if "'\\t'" in problem or "\t" in problem:
        problem, hint = "there is a tab here", "indent YAML with spaces"
    elif "mapping values are not allowed" in problem:
        problem = "a key is not allowed here"
        hint = "indent all keys of a mapping alike; quote a text that contains `: `"
    return HostError(f"this is not YAML: {problem}", code="config/yaml", span=found, hint=hint)


def _span(source: Source, mark: Any) -> Span | None:
    if mark is None:
        return None
    at = min(mark.index, len(source.text))
    return Span(source, at, at + 1)


def invalid(error: ValidationError, source: Source, keys: Callable[[list[str]], list[str]]) -> HostError:
    """The first of the errors, with the further ones in `others`. keys: those that may appear at a path."""
    found = [_problem(one, source, keys) for one in error.errors(include_url=False)]
    found.sort(key=lambda one: one.span.start if one.span is not None else 0)
    found[0].others = tuple(found[1:])
    return found[0]


def _problem(problem: Any, source: Source, keys: Callable[[list[str]], list[str]]) -> HostError:
    path = [str(part) for part in problem["loc"]]
    where, kind, given = ".".join(path), problem["type"], problem["input"]
    context = problem.get("ctx", {})
    hint = None
    at_value = True
    if kind == "extra_forbidden":
        message, at_value = f"unknown key {where}", False
        known = keys(path[:-1])
        near = did_you_mean(path[-1], known)
        if near is not None:
            hint = f"did you mean {near}?"
        elif known:
            hint = "there are " + ", ".join(known)
    elif kind == "missing":
        message, at_value = f"{where} is missing", False
    elif kind == "literal_error":
        message = f"{where} must be {context['expected']}, not {_shown(given)}"
        choices = context["expected"].replace(" or ", ", ").split(", ")
        near = did_you_mean(str(given), [one.strip("'") for one in choices])
        hint = f"did you mean {near}?" if near is not None else None
    elif kind in _KINDS:
        message = f"{where} must be {_KINDS[kind]}, not {_shown(given)}"
        if kind == "list_type" and isinstance(given, (str, int, float)):
            hint = f"write {path[-1]}: [{given}]"
        elif kind == "string_type" and isinstance(given, (int, float, bool)):
            hint = f'write it in quotes: "{given}"'
    else:
        message = f"{where}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
    return HostError(message, code="config/invalid", span=place(source, path, at_value), hint=hint)


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@contextmanager
def at_item(source: Source, key: str, number: int) -> Iterator[None]:
    """Errors within this block that have no place are about an item of a list of the file."""
    try:
        yield
    except HostError as error:
        if error.span is None:
            error.span = place(source, [key, str(number)])
        raise


def place(source: Source, path: list[str], value: bool = False) -> Span:
    """The place of a key or item in the YAML text; with `value`, the place of its value."""
    import yaml

    node = yaml.compose(source.text, Loader=yaml.SafeLoader)
    best = node
    for index, part in enumerate(path):
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, item) for key, item in node.value if getattr(key, "value", None) == part]
            if not pairs:
                break
            best, node = pairs[0]
            if value and index == len(path) - 1 and node.end_mark.index > node.start_mark.index:
                best = node
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            best = node = node.value[int(part)]
        else:
            break
    if best is None:
        return Span(source, 0, 1)
    start, end = best.start_mark.index, best.end_mark.index
    return Span(source, start, max(start + len(source.text[start:end].rstrip()), start + 1))
