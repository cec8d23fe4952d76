"""Invalid command lines: the error, the nearest valid word, and the usage of the command.

Must not know what commands do. Invariant: every invalid command line raises one `Usage`, shown like every other error,
with the usage of the subcommand.
"""

from __future__ import annotations

import argparse
import re
import sys

from rtfs.cli.options import Usage
from rtfs.syntax.suggest import did_you_mean
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_CHOICE = re.compile(r"argument (?P<what>[^:]+): invalid choice: '(?P<given>.*?)' \(choose from (?P<choices>.*)\)")
_EXPECTED = re.compile(r"argument (?P<what>[^:]+): expected (?:one|at least one) argument")
_ARGUMENT = re.compile(r"argument (?P<what>[^:]+): (?P<problem>.*)", re.DOTALL)
_LACKING = "the following arguments are required: "


class Parser(argparse.ArgumentParser):
    """argparse's parser, whose errors are a `Usage`; its subcommands' parsers are of the same kind."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})
        self.rest = ""
        """The argument that takes all further words, also those after options (argparse only takes those before)."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and self.rest and not any(word.startswith("-") for word in unknown):
            getattr(found, self.rest).extend(unknown)
            unknown = []
        if unknown:
            self._unknown(unknown)
        return found, unknown

    def error(self, message: str) -> NoReturn:
        hint = None
        if match := _CHOICE.match(message):
            given, choices = match["given"], [one.strip("' ") for one in match["choices"].split(",")]
            near = did_you_mean(given, choices)
            message = f"there is no {match['what'].split('/')[-1].lower()} {given!r}"
            hint = f"did you mean {near}?" if near else "there are " + ", ".join(choices)
        elif match := _EXPECTED.match(message):
            message = f"{match['what']} needs a value"
            wanted = next((one.metavar for one in self._actions if self._is(one, match["what"])), None)
            hint = f"write {match['what']} {wanted}" if wanted is not None else None
        elif message.startswith(_LACKING):
            missing = message.removeprefix(_LACKING)
            message = f"{missing} is missing"
            choices = [name for one in self._actions if one.metavar == missing for name in one.choices or ()]
            hint = "there are " + ", ".join(choices) if choices else None
        elif match := _ARGUMENT.match(message):
            message = f"{match['what']}: {match['problem']}"
        raise Usage(message, hint, self.format_usage())

    def _unknown(self, words: Sequence[str]) -> NoReturn:
        option = next((word for word in words if word.startswith("-")), None)
        if option is None:
            raise Usage(f"one argument too many: {words[0]!r}", None, self.format_usage())
        name = option.split("=", 1)[0]
        near = did_you_mean(name, [text for action in self._actions for text in action.option_strings])
        raise Usage(f"there is no option {name}", f"did you mean {near}?" if near else None, self.format_usage())

    @staticmethod
    def _is(action: argparse.Action, name: str) -> bool:
        return bool(action.metavar) and name in ("/".join(action.option_strings), action.metavar)


def add_action(actions: Any, name: str, what: str, shared: argparse.ArgumentParser) -> Any:
    """Add a subcommand's action, with the same words in the list of actions and in its own help."""
    return actions.add_parser(name, parents=[shared], help=what, description=f"{what[0].upper()}{what[1:]}.")


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add `--mcp-config` and `--trust`."""
    parser.add_argument("--mcp-config", action="append", default=[], metavar="FILE", help="file of servers (.mcp.json)")
    parser.add_argument("--trust", action="store_true", help="trust the rtfs.yaml and the server files found here")


def show(usage: Usage, as_json: bool) -> None:
    """Print a usage error to standard error."""
    error = UserError("usage", usage.message, hint=usage.hint)
    if as_json:
        from rtfs.cli.report import report_json

        report_json(error)
        return
    from rtfs.cli.report import color
    from rtfs.syntax.diagnostics import render

    lines = [render(error, color=color())]
    if usage.shape is not None:
        shape = " ".join(usage.shape.split())
        lines.append(f"  {shape}\n  {_command(shape)} --help tells more")
    print("\n".join(lines), file=sys.stderr)


def _command(shape: str) -> str:
    """`rtfs run` of `usage: rtfs run [OPTION…] FILE`."""
    words = shape.removeprefix("usage: ").split()
    command = [word for word in words[:3] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
    return " ".join(command) or "rtfs"
