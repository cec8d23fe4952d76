"""The command line as argparse knows it: help, usage errors, and every subcommand's options."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from rtfs.cli.options import Options, Usage, seconds
from rtfs.cli.usage_errors import Parser

OWN = ("test", "fmt", "mcp", "audit", "runs", "resume", "signal", "cancel", "console", "worker", "submit")
"""Commands that have a parser of their own."""

_EPILOG = """examples:
  rtfs run -e '(map inc [1 2 3])'
  rtfs run plan.rtfs --allow fs:read:data --config rtfs.yaml
  rtfs repl

rtfs COMMAND --help lists the options of a command. Exit codes: 0 success, 1 program error, 2 usage, 3 denied by
policy, 4 waiting for approval, 130 interrupted. Results go to standard output, everything else to standard error;
NO_COLOR turns colours off."""
_RUN_EPILOG = """The program reads its ARGs from the vector @args, and the values of --context as @name.
A file that begins with #!/usr/bin/env -S rtfs run can be executed directly."""
_CALL_EPILOG = """KEY=VALUE is read according to the schema: as a string where the schema has a string, otherwise as
JSON. KEY:=JSON is always JSON, KEY=@FILE is the text of a file, KEY.SUB=VALUE sets a value in a nested map."""
_RUN_USAGE = "rtfs run [OPTION…] (FILE | - | -e EXPR) [ARG…]"
_CHECK_USAGE = "rtfs check [OPTION…] [FILE…|FOLDER…|-|-e EXPR]"
_CAPABILITIES_USAGE = "rtfs capabilities [OPTION…] [list | show ID]"
_FORMAT = partial(argparse.RawDescriptionHelpFormatter, max_help_position=28)


def parse(arguments: list[str]) -> Options:
    """The options of a command line. Raises SystemExit after printing help, the version or a usage error."""
    if arguments and arguments[0] in OWN:
        options = Options(arguments[0])
        options.rest = arguments[1:]
        return options
    parser = build()
    found = parser.parse_args(arguments)
    if found.command is None:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    if found.command == "run" and (found.file is None) == (found.expression is None):
        raise Usage("run takes a FILE, or - for standard input, or -e EXPR", None, f"usage: {_RUN_USAGE}\n")
    if found.command == "check" and not found.files and found.expression is None:
        raise Usage("check takes a FILE or a folder, - for standard input, -e EXPR", None, f"usage: {_CHECK_USAGE}\n")
    if found.command == "capabilities" and found.action == "show" and not found.id:
        raise Usage("capabilities show takes an ID", "rtfs capabilities lists them", f"usage: {_CAPABILITIES_USAGE}\n")
    options = Options(found.command)
    for name in Options.__slots__:
        value = getattr(found, name, None)
        if value is not None and name != "command":
            setattr(options, name, value)
    return options


def build() -> Parser:
    """The parser."""
    import rtfs

    parser = Parser(
        prog="rtfs",
        description="Run RTFS plans: pure code computes, the host decides about every effect.",
        epilog=_EPILOG,
        formatter_class=_FORMAT,
        usage="rtfs [--help] [--version] COMMAND …",
    )
    parser.add_argument("--version", action="version", version=f"rtfs {rtfs.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND [ARG…]", title="commands", prog="rtfs")
    add = partial(commands.add_parser, parents=[_shared()], formatter_class=_FORMAT)

    run = add(
        "run",
        help="run a program",
        description="Run a program and print its value.",
        epilog=_RUN_EPILOG,
        usage=_RUN_USAGE,
    )
    run.add_argument("file", nargs="?", metavar="FILE", help="program, or - for standard input")
    run.add_argument("args", nargs="*", metavar="ARG", help="string for the program; -- before one that begins with -")
    run.add_argument("-e", dest="expression", metavar="EXPR", help="program text")
    run.add_argument("--context", metavar="JSON", help="values for @name, a JSON object; @FILE reads it from a file")
    run.add_argument(
        "--param",
        dest="params",
        action="append",
        metavar="NAME=VALUE",
        help="set a parameter of the program's (plan …)",
    )
    run.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="longest time the run may take")
    run.add_argument(
        "--durable", action="store_true", default=None, help="keep a journal, so that the run can be resumed"
    )
    run.add_argument("--isolate", action="store_true", default=None, help="run it in a sandboxed worker process")
    run.add_argument("--run-id", metavar="ID", help="name of a durable run; generated if left out")
    run.add_argument("--state", metavar="PLACE", help="folder or database (postgresql://…) of durable runs")
    run.add_argument(
        "--no-check",
        dest="check",
        action="store_false",
        default=None,
        help="run the program even if it is provably wrong",
    )
    run.add_argument("--certified", metavar="FILE", help="run the program only if it matches this certificate")
    run.add_argument("--key", metavar="FILE", help="the public key that verifies certificates")
    run.add_argument("--record", metavar="FILE", help="record every call and its result")
    run.add_argument("--replay", metavar="FILE", help="answer every call from a recording, perform none")

    check = add(
        "check",
        help="report errors in programs, and the calls they can make",
        description="Check programs (files, or all .rtfs files of a folder) without running them.",
        usage=_CHECK_USAGE,
    )
    check.add_argument("files", nargs="*", metavar="FILE", help="program or folder, or - for standard input")
    check.add_argument("-e", dest="expression", metavar="EXPR", help="program text")
    check.add_argument(
        "--policy", action="store_true", default=None, help="list the calls they can make, with grants and approvals"
    )
    check.add_argument("--certify", metavar="FILE", help="write a certificate of the program, signed with --key")
    check.add_argument("--key", metavar="FILE", help="a private Ed25519 key (PEM)")
    check.add_argument("--watch", action="store_true", default=None, help="check again whenever a file changes")

    fix = add(
        "fix",
        help="correct mistakes that have one certain correction",
        description="Correct mistakes that have one certain correction, and report the errors that are left.",
        usage="rtfs fix [OPTION…] FILE|FOLDER|- …",
    )
    fix.add_argument("files", nargs="+", metavar="FILE", help="program or folder; - for standard input and output")
    fix.add_argument("--diff", action="store_true", default=None, help="show the changes without making them")
    fix.add_argument(
        "--check",
        dest="dry",
        action="store_true",
        default=None,
        help="change nothing; exit with 1 if a file would change",
    )

    describe = add(
        "describe",
        help="describe capabilities and programs, for people and models",
        description="Describe capabilities (ids; * matches any characters) or programs (files): how calls are written.",
        usage="rtfs describe [OPTION…] [ID…|FILE…]",
    )
    describe.add_argument(
        "files", nargs="*", metavar="ID", help="capability id or program file; default: all capabilities"
    )
    describe.add_argument(
        "--json-schema", action="store_true", default=None, help="print JSON, with the schemas as JSON Schema"
    )

    add(
        "lsp",
        help="serve an editor: diagnostics, hover, completion, fixes",
        description="Run a language server on standard input and output. Needs the extra lsp.",
        usage="rtfs lsp [OPTION…]",
        parents=[_shared(results=False)],
    )

    add(
        "repl",
        help="start the interactive prompt",
        description="Run programs that are typed, or piped in. :help lists the commands of the prompt.",
        usage="rtfs repl [OPTION…]",
        parents=[_shared(results=False)],
    )

    call = add(
        "call",
        help="call one capability",
        description="Call one capability, and print its value: rtfs call everything.echo message=hi",
        epilog=_CALL_EPILOG,
        usage="rtfs call [OPTION…] ID [JSON | KEY=VALUE …]",
    )
    call.add_argument("id", metavar="ID", help="capability id, or SERVER.TOOL; rtfs capabilities lists them")
    call.rest = "words"
    call.add_argument("words", nargs="*", metavar="ARG", help='{"name": "value"}, or name=value …')

    capabilities = add(
        "capabilities",
        help="list or show capabilities",
        description="List the capabilities, or show everything about one.",
        usage=_CAPABILITIES_USAGE,
    )
    capabilities.add_argument("action", nargs="?", choices=("list", "show"), default="list", help="default: list")
    capabilities.add_argument("id", nargs="?", metavar="ID")

    add(
        "card",
        help="print the language on one page, for people and models",
        description="Print the language on one page: enough to write plans.",
        usage="rtfs card [OPTION…]",
    )

    add(
        "doctor",
        help="report what is set up and what is missing",
        description="Check versions, configuration, cache, servers and credentials.",
        usage="rtfs doctor [OPTION…]",
    )

    for name, text in (
        ("test", "run golden tests"),
        ("fmt", "format source files"),
        ("mcp", "inspect MCP servers, import their tools"),
        ("resume", "continue a durable run"),
        ("runs", "list, show or delete durable runs"),
        ("signal", "send a signal to a durable run"),
        ("cancel", "end a durable run"),
        ("worker", "advance the durable runs of a database"),
        ("submit", "have workers run a program"),
        ("audit", "show, verify or export a ledger"),
        ("console", "watch runs and answer approvals in a browser"),
    ):
        commands.add_parser(name, add_help=False, help=text)
    return parser


def _shared(results: bool = True) -> Parser:
    """The options of every command that has a runtime. results: whether it has one result, which may be JSON."""
    shared = Parser(add_help=False)
    rights = shared.add_argument_group("rights and declarations")
    rights.add_argument(
        "--allow",
        action="append",
        metavar="GRANT",
        help="mcp.github.*, net:HOST, fs:read:PATH, fs:write:PATH, env:NAME, exec:COMMAND",
    )
    rights.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    rights.add_argument("--load", action="append", metavar="FILE", help="file or folder of trusted declarations")
    rights.add_argument("--mcp-config", action="append", metavar="FILE", help="file of MCP servers (.mcp.json)")
    rights.add_argument(
        "--trust",
        action="store_true",
        default=None,
        help="trust the rtfs.yaml and the server files found here",
    )
    rights.add_argument("--principal", metavar="NAME", help="user to act for; each has separate sessions")
    rights.add_argument("--no-input", action="store_true", default=None, help="never ask; exit with 4 instead")
    output = shared.add_argument_group("output")
    output.add_argument("-v", "--verbose", action="count", help="show sessions and server messages; -vv: every record")
    if results:
        output.add_argument("--json", action="store_true", default=None, help="print the result (or the error) as JSON")
    output.add_argument("--ledger", metavar="FILE", help="keep the ledger of all calls in this file")
    output.add_argument("--debug", action="store_true", default=None, help="show Python tracebacks")
    return shared


def _seconds(text: str) -> float:
    value = seconds(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"a number of seconds above 0 is needed, not {text!r}")
    return value
