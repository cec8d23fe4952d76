"""A session at the prompt: the state between inputs, and the handling of each input.

Must not know where inputs come from or how lines are edited. Invariants: whatever an input does, the session continues
(except after `:quit`, and after Ctrl-C or a broken pipe where no person types); definitions and the sessions with
servers live as long as the runtime.
"""

from __future__ import annotations

import sys
from itertools import islice

from rtfs.cli.output import OutputGone, write, writing
from rtfs.cli.terminal_run import live
from rtfs.repl.names import RESULTS, USER, Names
from rtfs.repl.settings import Settings
from rtfs.source import Source
from rtfs.values import Keyword, List, Map, Set, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.runtime import Runtime

_KEYWORDS_OF_RESULT = 500
_LONGEST_KEPT = 2_000
"""Characters of a value's text that `:save` can write down."""


class Session:
    """interactive: a person types. editing: at a terminal that obeys escape sequences. color: for errors and results.
    debug: show Python tracebacks. files: loaded before the session began, for
    `:reload`."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        interactive: bool = False,
        editing: bool = False,
        color: bool = False,
        debug: bool = False,
        files: list[str] | None = None,
    ) -> None:
        self.runtime = runtime
        self.interactive = interactive
        self.editing = editing
        self.color = color
        self.debug = debug
        self.names = Names(runtime)
        self.settings = Settings(whole=not interactive)
        self.files = list(files or ())
        self.keywords: set[str] = set()
        self.number = 0
        self.failed = False
        self.ended = False
        self._bound = False
        self.inputs: list[tuple[str, str | None]] = []
        """The inputs of this session, each with the text of its value; None for a command or what failed."""

    # ------------------------------------------------------------------ inputs
    def is_complete(self, text: str) -> bool:
        """Whether an input is whole, so that it can be handled; False while a bracket or string is open."""
        from rtfs.repl.commands import parse

        found = parse(text)
        if found is not None and not found[0].takes_program:
            return True
        from rtfs.syntax.reader import incomplete

        return not incomplete(text)

    def feed(self, text: str) -> None:
        """Handle one input, a command or a program. Raises OutputGone, SystemExit, and KeyboardInterrupt unless a
        person types."""
        from rtfs.repl.commands import hint_for, mistyped, parse

        if _is_blank(text):
            return
        found = parse(text)
        self.number += 1
        self.inputs.append((text, None))
        try:
            try:
                if found is not None:
                    command, argument = found
                    command.run(self, argument)
                else:
                    if self.interactive:
                        mistyped(text)
                    self._run(text)
            finally:
                sys.stdout.flush()
        except UserError as error:
            self.fail(error)
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            self.note("\r\x1b[Kcancelled" if self.editing else "cancelled")  # over the ^C that the terminal echoes
        except (OutputGone, SystemExit):
            raise
        except BrokenPipeError as error:
            raise OutputGone("") from error
        except Exception as error:
            self.crash(error)
        if self.interactive:
            self._notice(text)
            hint = hint_for(text) if found is None else None
            if hint:
                self.note(hint)

    def _run(self, text: str) -> None:
        from time import perf_counter

        started = perf_counter()
        value = self.evaluate(text)
        took = perf_counter() - started
        self.inputs[-1] = (text, _spelled(value))
        self.result(value)
        if self.settings.time:
            from rtfs.repl.commands_session import spoken

            self.note(spoken(took))

    def evaluate(self, text: str, **more: Any) -> Any:
        """Run a program; its value, which is `*1` from now on. more: of `RunOptions`."""
        timeout = self.settings.timeout
        return self.keep(
            self.perform(lambda: self.runtime.run(self.source(text), timeout=timeout, check=False, **more))
        )

    def perform(self, action: Callable[[], Any]) -> Any:
        """Do what may take long or print: long calls are shown, control characters in what is printed are visible."""
        self.bind()
        with writing(), live(self.runtime):
            return action()

    def source(self, text: str) -> Source:
        """The text as the source of this input."""
        return Source(text, f"<repl {self.number}>", incremental=True)

    # ------------------------------------------------------------------ *1 *2 *3 *e
    def bind(self) -> None:
        """Define the names of results, once."""
        if not self._bound:
            module = self.runtime.environment.module(USER)
            for name in RESULTS:
                module.define(name)
                module.globals[name] = None
            self._bound = True

    def keep(self, value: Any) -> Any:
        """Make a value `*1`, and what was that `*2`."""
        self.bind()
        names = self.runtime.environment.module(USER).globals
        names["*3"], names["*2"], names["*1"] = names.get("*2"), names.get("*1"), value
        return value

    # ------------------------------------------------------------------ output
    def say(self, text: str) -> None:
        """Write text for people to standard output, through a pager if it is longer than the screen."""
        if text and not (self.editing and self.settings.pager and self._paged(text)):
            write(text)

    @staticmethod
    def _paged(text: str) -> bool:
        from shutil import get_terminal_size

        from rtfs.repl.pager import is_long, page

        size = get_terminal_size((80, 24))
        return is_long(text, size.columns, size.lines) and page(text)

    def note(self, text: str) -> None:
        """Write a remark to standard error."""
        print(text, file=sys.stderr, flush=True)

    def result(self, value: Any) -> None:
        """Show a value."""
        from rtfs.repl.show import show

        text = show(value, items=self.settings.items, width=self.settings.columns(), text=self.settings.text)
        if self.color and len(text) < 50_000:
            from rtfs.repl.paint import paint

            text = paint(text, self.names)
        self.say(text)

    def fail(self, error: UserError) -> None:
        """Show an error; it is `*e` from now on."""
        from rtfs.syntax.diagnostics import render

        self.failed = True
        self.bind()
        self.runtime.environment.module(USER).globals["*e"] = error
        if self.debug:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
        if self.interactive:
            from rtfs.repl.commands import hint_at_prompt

            error.hint = hint_at_prompt(error)
        self.note(render(error, color=self.color))

    def crash(self, error: Exception) -> None:
        """Show an error that is not the user's."""
        self.failed = True
        if self.debug:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
        more = "" if self.debug else "\n  this is a bug of rtfs; --debug shows where"
        self.note(f"internal error: {type(error).__name__}: {error}{more}")

    # ------------------------------------------------------------------ keywords seen
    def _notice(self, text: str) -> None:
        """Remember the keywords of an input and of the last result, for completion."""
        from rtfs.syntax.lexemes import KEYWORD, lexemes

        self.keywords.update(lexeme.value.name for lexeme in lexemes(text) if lexeme.kind == KEYWORD)
        if not self._bound:
            return
        pending: list[Any] = [self.runtime.environment.module(USER).globals.get("*1")]
        left = _KEYWORDS_OF_RESULT
        while pending and left > 0:
            value = pending.pop()
            left -= 1
            kind = value.__class__
            if kind is Keyword:
                self.keywords.add(value.name)
            elif kind is Map and len(value) <= left:
                pending += [*value.keys(), *value.values()]
            elif kind is Vector or kind is List or kind is Set:
                pending += islice(value, 20)


def _spelled(value: Any) -> str:
    """A value as text, "" for one that is too long to be kept or cannot be read back."""
    from rtfs.repl.show import fits
    from rtfs.syntax.printer import to_text

    text = to_text(value) if fits(value, _LONGEST_KEPT) else ""
    return text if len(text) <= _LONGEST_KEPT and "#<" not in text else ""


def _is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and comments."""
    if not text.strip():
        return True
    if text.lstrip()[0] not in ";#":
        return False
    from rtfs.syntax.lexemes import COMMENT, lexemes

    found = lexemes(text)
    return bool(found) and all(lexeme.kind == COMMENT and lexeme.closed for lexeme in found)
