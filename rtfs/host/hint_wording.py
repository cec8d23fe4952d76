"""Hints in the words of the place where they are read: a command line, a Python program, a model that writes plans.

Must not know what the errors are about. Hints are written for the command line; this is the one list of what the same
thing is called elsewhere. Invariants: a Python program is told no option of a command line where it has a keyword or a
method for the same thing; a model is told what it can do itself, and what only the person who runs the server can.
"""

from __future__ import annotations

from rtfs.values import HostError, UserError

SHELL, PYTHON, MODEL = "shell", "python", "model"
READERS = (SHELL, PYTHON, MODEL)

_ALLOW = r"(?:if that is meant, )?allow it with --allow (.+)"
_IN_PYTHON = (
    (_ALLOW, r'allow it with Runtime(allow=["\1"])'),
    (
        r"rtfs resume (\S+) --call (\S+) --retry makes it again, --assume-failed gives the program an error, "
        r"--result JSON",
        r'Runtime.resume("\1", call="\2", retry=True) makes it again, assume_failed=True gives the program an error, '
        r"result=…",
    ),
    (
        r"rtfs resume (\S+) --retry makes it again, --assume-failed gives the program an error, --result JSON",
        r'Runtime.resume("\1", retry=True) makes it again, assume_failed=True gives the program an error, result=…',
    ),
    (
        r"rtfs resume (\S+) --approve continues it(?:, --approve-for-run approves all such calls of the run)?",
        r'Runtime(approve=…).resume("\1") continues it',
    ),
    (r"rtfs resume (\S+)", r'Runtime.resume("\1")'),
    (r"rtfs signal (\S+) (\S+) JSON", r'Runtime.signal("\1", "\2", value)'),
    (r"--accept-changes", "accept_changes=True"),
    (r"that of --timeout, or of `limits:` in the configuration", "that of timeout=, or of limits="),
    (r"--load FILE, or `load:` in --config FILE", "Runtime.load(text), or `load:` in a configuration"),
    (
        r"name its server in a \.mcp\.json here, or in a file given with --mcp-config FILE",
        "name its server with Runtime.add_server, or in `mcp_servers` of a configuration",
    ),
    (r"--param \S+, or params=", "params="),
)
_FOR_MODELS = (
    (_ALLOW, r"the grant \1 is not given here: do without this call, or tell the person that it is needed"),
    (r"^(?!for the person)(.*(?:\brtfs [a-z]|(?<![\w-])--[a-z]).*)", r"for the person who runs this server: \1"),
)
_WORDS: dict[str, tuple[tuple[str, str], ...]] = {SHELL: (), PYTHON: _IN_PYTHON, MODEL: _FOR_MODELS}


def check_reader(reader: str) -> str:
    """A reader of hints. Raises HostError `argument/invalid` for one that there is not."""
    if reader not in READERS:
        raise HostError(f"the wording is one of {', '.join(READERS)}, not {reader!r}", code="argument/invalid")
    return reader


def worded(hint: str, reader: str) -> str:
    """A hint for its reader."""
    import re

    for pattern, words in _WORDS[reader]:
        hint, found = re.subn(pattern, words, hint)
        if found and reader == MODEL:
            break
    return hint


def reword(error: UserError, reader: str) -> None:
    """Have an error advise in the words of its reader."""
    if error.hint and reader != SHELL:
        error.hint = worded(error.hint, reader)


class Worded:
    """A context manager: errors that leave it advise in the words of their reader."""

    __slots__ = ("_reader",)

    def __init__(self, reader: str) -> None:
        self._reader = reader

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UserError):
            reword(error, self._reader)
