"""The commands of the prompt: a table, filled by the modules that implement them.

A line whose first word is a known command is one; every other line is a program, so `:name` is a keyword still, unless
a command is called like that. Must not know what a command does. Invariant: a command cannot exist without its usage
and one line of help.
"""

from __future__ import annotations

from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.repl.session import Session

    Run = Callable[[Session, str], None]


class Command:
    """name: without its colon. usage: its arguments, "" for none. doc: one line. takes_program: its argument is a
    program, which may have several lines. run(session, argument)."""

    __slots__ = ("doc", "name", "run", "takes_program", "usage")

    def __init__(self, name: str, usage: str, doc: str, run: Run, takes_program: bool) -> None:
        self.name = name
        self.usage = usage
        self.doc = doc
        self.run = run
        self.takes_program = takes_program


_COMMANDS: dict[str, Command] = {}

NAMES = (
    "doc", "source", "apropos", "type", "check", "ast", "expand", "caps", "policy", "connect", "sessions", "ledger",
    "time", "record", "load", "reload", "test", "save", "history", "set", "help", "quit",
)  # fmt: skip
"""All commands, in the order of the help."""

_ELSEWHERE = {
    "exit": "quit", "quit": "quit", "q": "quit", "bye": "quit", "help": "help", "h": "help", "?": "help",
    "doc": "doc", "dir": "apropos", "apropos": "apropos", "source": "source", "t": "type", "macroexpand-1": "expand",
}  # fmt: skip
"""Commands of other prompts, and the command here."""

PROGRAMS = ("type", "check", "ast", "expand", "time", "record")
"""The commands that take a program."""


def command(name: str, usage: str, doc: str) -> Callable[[Run], Run]:
    """Declare the decorated function as the command `:name`."""

    def declare(run: Run) -> Run:
        _COMMANDS[name] = Command(name, usage, doc, run, name in PROGRAMS)
        return run

    return declare


def commands() -> dict[str, Command]:
    """Every command by name, in the order of the help."""
    if len(_COMMANDS) < len(NAMES):
        from rtfs.repl import commands_host, commands_language, commands_session  # noqa: F401 - they declare themselves
    return {name: _COMMANDS[name] for name in NAMES}


def parse(text: str) -> tuple[Command, str] | None:
    """The command and the argument of an input; None if it is a program."""
    text = text.strip()
    if not text.startswith(":"):
        return None
    parts = text.split(None, 1)
    if parts[0][1:] not in NAMES:
        return None
    return commands()[parts[0][1:]], parts[1].strip() if len(parts) > 1 else ""


def usage_error(name: str) -> HostError:
    """The error of a command that is called without what it needs."""
    found = commands()[name]
    return HostError(f":{name} takes {found.usage}", code="usage", hint=f"{found.doc} `:help` lists all commands")


def hint_for(text: str) -> str | None:
    """A remark about a program that is one keyword, which may be a mistyped command."""
    word = text.strip()
    if not word.startswith(":") or len(word.split()) > 1:
        return None
    near = _near(word)
    return f"{word} is a keyword; " + (f"the command is :{near}" if near else ":help lists the commands")


def mistyped(text: str) -> None:
    """Raise HostError `usage` for a program that can only be a mistyped command: a keyword, then words behind it."""
    words = text.split(None, 1)
    if len(words) < 2 or not words[0].startswith(":") or words[1].startswith(("(", "[", "{", ":")):
        return
    near = _near(words[0])
    if near is not None:
        raise HostError(f"there is no command {words[0]}", code="usage", hint=f"did you mean :{near}?")
    if words[1][0].isalpha() and words[1].split()[0] not in ("true", "false", "nil"):
        raise HostError(f"there is no command {words[0]}", code="usage", hint=":help lists the commands")


def _near(word: str) -> str | None:
    from rtfs.syntax.suggest import did_you_mean

    return _ELSEWHERE.get(word[1:]) or did_you_mean(word[1:], NAMES)


def hint_at_prompt(error: UserError) -> str | None:
    """The hint of an error, in the words of the prompt."""
    hint = error.hint
    if error.code == "undefined":
        word = error.message.partition("`")[2].partition("`")[0]
        return f"the command is :{_ELSEWHERE[word]}" if word in _ELSEWHERE else hint
    if error.code == "limit/time" and hint is not None:
        return hint.replace("--timeout", ":set timeout")
    if error.code == "policy/denied" and hint is not None:
        return hint.replace("allow it with --allow ", "allow it with :policy allow ")
    return hint
