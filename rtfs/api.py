"""The public functions that need no host: read, compile, start, format_error, error_data."""

from __future__ import annotations

from rtfs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler import Environment, Program
    from rtfs.machine import Complete, Limits, RequiresHost
    from rtfs.syntax.reader import Forms
    from rtfs.values import UserError


def read(text: str, name: str = "<string>") -> Forms:
    """The forms of a text, as data with spans. Raises ReaderError; its `.others` are the further ones."""
    from rtfs.syntax.reader import read_forms

    return read_forms(Source(text, name))


def read_value(text: str, name: str = "<string>") -> Any:
    """The one form of a text, as data, nothing evaluated. Raises ReaderError `reader/no-form` or
    `reader/extra-form`."""
    from rtfs.syntax.reader import read_value

    return read_value(Source(text, name))


def compile(text: str, environment: Environment | None = None, name: str = "<string>") -> Program:
    """A program, ready for `start`: the kernel alone, no host, no prelude. Raises ReaderError or CompileError."""
    from rtfs.compiler import compile_source
    from rtfs.machine import new_environment
    from rtfs.syntax.collector import CollectorPaused

    with CollectorPaused():  # forms and nodes are gone at the end, in no cycles
        return compile_source(Source(text, name), environment or new_environment(), module="user")


def start(program: Program, limits: Limits | None = None, breathe: bool = False) -> Complete | RequiresHost:
    """Run a program until it ends (`Complete`) or needs its host (`RequiresHost`). Raises what the program raises."""
    from rtfs.machine import start

    return start(program, limits, breathe)


def card() -> str:
    """The language on one page, in Markdown: everything that a model needs to write plans."""
    from rtfs.syntax.resources import resource_text

    return resource_text("stdlib/card.md")


def format_error(error: UserError, *, color: bool = False) -> str:
    """The report that the command line shows of an error: code, message, place with carets, notes, hint, trace. Several
    lines. The report has no control characters except line ends (and colours, with `color`), whatever the data
    contains."""
    from rtfs.syntax.diagnostics import render

    return render(error, color=color)


def error_data(error: UserError) -> dict[str, Any]:
    """An error as JSON data, as `--json` prints it: `code`, `message`, place (`file`, `line`, `column`, `end`),
    `notes`, `hint`, `capability`, `trace` (RTFS calls, innermost first), `others`. Fields without a value are left
    out."""
    from rtfs.syntax.error_data import error_data

    return error_data(error)
