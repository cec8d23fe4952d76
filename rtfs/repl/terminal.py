"""The prompt at a terminal: prompt_toolkit, told about RTFS.

The only module that draws. Must not know what an input does. Invariants: until the first key is pressed nothing of the
language is loaded, so that the prompt is there at once; a fault in colours, completion or help costs these, never the
line that is being typed.
"""

from __future__ import annotations

import os
import sys

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout.processors import HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from rtfs.repl import history, paint
from rtfs.repl.completion import complete
from rtfs.repl.indent import indentation
from rtfs.repl.toolbar import about

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from rtfs.repl.session import Session

PROMPT = "rtfs> "
MORE = "    | "
HINT = ":help lists commands, Tab completes, Ctrl-D ends"
_SHORTEST = 2
"""Letters of a word before it is completed without being asked."""


def loop(session: Session) -> None:
    """Handle inputs until the person ends the session."""
    kept, remark = history.open_history(history.history_path())
    if remark is not None:
        session.note(remark)
    prompt = _prompt(session, kept)
    warmed = False

    def warm() -> None:
        nonlocal warmed
        if not warmed:
            warmed = True
            from threading import Thread

            session.bind()  # here, so that no two threads make an environment

            Thread(target=_warm, args=(session,), name="rtfs-warm", daemon=True).start()

    while not session.ended:
        try:
            text = prompt.prompt(pre_run=warm)
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
        try:
            session.feed(text)
        except KeyboardInterrupt:  # pressed between a run and the prompt
            continue


def _warm(session: Session) -> None:
    """Load what the first key press would have to wait for."""
    from rtfs.host.inspection import prepare

    try:
        prepare(session.runtime)
        paint.styled("(a)", session.names)
        complete(session, "(a", 2)
        about(session, "(a)", 2)
    except Exception:  # code that needs it meets the error itself
        pass


def _prompt(session: Session, kept: Any) -> PromptSession[str]:
    return PromptSession(
        [("class:prompt", PROMPT)],
        multiline=True,
        prompt_continuation=[("class:more", MORE)],
        lexer=_Colors(session) if session.color else None,
        completer=_Completions(session),
        complete_while_typing=True,
        bottom_toolbar=_guarded(lambda: _toolbar(session, prompt_of()), HINT),
        history=kept,
        key_bindings=_keys(session),
        input_processors=[HighlightMatchingBracketProcessor(chars="()[]{}")],
        style=_style() if session.color else None,
        include_default_pygments_style=False,
        color_depth=None if session.color else ColorDepth.DEPTH_1_BIT,
        enable_suspend=True,
        reserve_space_for_menu=6,
    )


def prompt_of() -> Document:
    """The line that is being typed."""
    from prompt_toolkit.application import get_app

    return get_app().current_buffer.document


def _style() -> Style:
    rules = {"prompt": "ansigreen bold", "more": "ansibrightblack", "bottom-toolbar": "noreverse ansibrightblack"}
    return Style.from_dict({**rules, **{f"rtfs.{kind}": style for kind, style in paint.STYLES.items()}})


def _toolbar(session: Session, document: Document) -> str:
    text = document.text
    if not text.strip():
        return HINT
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        width = 80
    line = about(session, text, document.cursor_position) or ""
    return line if len(line) < width else line[: width - 2] + "…"


def _guarded(answer: Callable[[], str], otherwise: str) -> Callable[[], str]:
    """The answer, kept while the line stays the same; something harmless if there is none."""
    last: tuple[Any, str] = (None, otherwise)

    def ask() -> str:
        nonlocal last
        try:
            document = prompt_of()
            key = (document.text, document.cursor_position)
            if last[0] != key:
                last = (key, answer())
        except Exception:
            return otherwise
        return last[1]

    return ask


# ---------------------------------------------------------------------- keys
def _keys(session: Session) -> KeyBindings:
    keys = KeyBindings()
    typing = has_focus("DEFAULT_BUFFER") & ~is_searching

    @Condition
    def choosing() -> bool:
        from prompt_toolkit.application import get_app

        state = get_app().current_buffer.complete_state
        return state is not None and state.current_completion is not None

    @keys.add("enter", filter=typing & choosing)
    def _(event: Any) -> None:
        event.current_buffer.complete_state = None

    @keys.add("enter", filter=typing & ~choosing)
    def _(event: Any) -> None:
        buffer = event.current_buffer
        document = buffer.document
        rest = document.text_after_cursor
        within = rest.strip() and "\n" in document.text
        if document.text.strip() and (within or not session.is_complete(document.text)):
            buffer.insert_text("\n" + " " * indentation(document.text_before_cursor))
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=typing)
    def _(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys


# ---------------------------------------------------------------------- colours, completion
class _Colors(Lexer):
    def __init__(self, session: Session) -> None:
        self.session = session

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        text = document.text
        try:
            styled = paint.styled(text, self.session.names)
        except Exception:
            styled = []
        lines: list[StyleAndTextTuples] = [[]]
        at = 0
        for start, end, kind in [*styled, (len(text), len(text), "")]:
            for piece, style in ((text[at:start], ""), (text[start:end], f"class:rtfs.{kind}")):
                first, *others = piece.split("\n")
                lines[-1].append((style, first))
                for other in others:
                    lines.append([(style, other)])
            at = end
        return lambda number: lines[number] if number < len(lines) else []


class _Completions(Completer):
    def __init__(self, session: Session) -> None:
        self.session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text, at = document.text, document.cursor_position
        try:
            start, candidates = complete(self.session, text, at)
        except Exception:
            return
        word = text[start:at]
        short = len(word) < _SHORTEST and word not in (":", '"')
        if short and not complete_event.completion_requested:
            return
        for one in candidates:
            if one.text != word:
                yield Completion(one.text, start - at, display=one.shown, display_meta=one.about)
