"""The command line as argparse knows it: help, usage errors, and every subcommand's options."""

from __future__ import annotations

import argparse
import sys

from rtfs.cli.options import Options

_EPILOG = """exit codes: 0 fine, 1 program error, 2 usage, 3 denied by policy, 4 waiting for approval, 130 interrupted
results go to standard output, everything else to standard error; NO_COLOR is respected"""


def parse(arguments: list[str]) -> Options:
    """The options of a command line. Raises SystemExit after printing help, the version or a usage error."""
    if arguments and arguments[0] in ("test", "mcp", "audit", "runs", "resume"):
        options = Options(arguments[0])
        options.rest = arguments[1:]
        return options
    parser = build()
    found = parser.parse_args(arguments)
    if found.command is None:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    if found.command == "run" and (found.file is None) == (found.expression is None):
        parser.error("run takes a FILE, or - for standard input, or -e EXPR")
    if found.command == "capabilities" and found.action == "show" and not found.id:
        parser.error("capabilities show takes an ID")
    options = Options(found.command)
    for name in Options.__slots__:
        value = getattr(found, name, None)
        if value is not None and name != "command":
            setattr(options, name, value)
    return options


def build() -> argparse.ArgumentParser:
    """The parser."""
    import rtfs

    parser = argparse.ArgumentParser(
        prog="rtfs",
        description="Run RTFS plans: pure code computes, the host decides about every effect.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rtfs {rtfs.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--allow", action="append", metavar="GRANT", help="grant: mcp.github.*, net:HOST, fs:read:PATH, env:NAME"
    )
    shared.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    shared.add_argument("--load", action="append", metavar="FILE", help="file or folder of trusted declarations")
    shared.add_argument("--mcp-config", action="append", metavar="FILE", help="file of MCP servers (.mcp.json)")
    shared.add_argument("--principal", metavar="NAME", help="on whose behalf (sessions are kept apart by it)")
    shared.add_argument("--ledger", metavar="FILE", help="keep the ledger of all calls in this file")
    shared.add_argument("-v", "--verbose", action="count", help="show session events; -vv every ledger record")
    shared.add_argument("--json", action="store_true", default=None, help="print the result (or the error) as JSON")
    shared.add_argument("--no-input", action="store_true", default=None, help="never ask; exit 4 where it would")
    shared.add_argument("--debug", action="store_true", default=None, help="show Python tracebacks")

    run = commands.add_parser(
        "run", parents=[shared], help="run a program", description="Run a program and print its value."
    )
    run.add_argument("file", nargs="?", metavar="FILE", help="program, or - for standard input")
    run.add_argument("-e", dest="expression", metavar="EXPR", help="program text")
    run.add_argument("--context", metavar="JSON", help="object of values for @name")
    run.add_argument("--durable", action="store_true", default=None, help="keep a journal, so that it can be resumed")
    run.add_argument("--run-id", metavar="ID", help="what the run is called, with --durable")
    run.add_argument("--record", metavar="FILE", help="write every call and what it gave to a recording")
    run.add_argument("--replay", metavar="FILE", help="answer every call from a recording; touch nothing")
    run.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="longest time the run may take")

    check = commands.add_parser(
        "check",
        parents=[shared],
        help="say what is wrong with a program, and what it may call, without running it",
        description="Read and compile a program, run nothing. --policy: also every call it can make.",
    )
    check.add_argument("file", metavar="FILE", help="program, or - for standard input")
    check.add_argument("--policy", action="store_true", default=None, help="which calls, grants and approvals")

    commands.add_parser(
        "repl", parents=[shared], help="type programs, see results", description="Run what is typed, or piped in."
    )

    call = commands.add_parser("call", parents=[shared], help="call one capability", description="Call one capability.")
    call.add_argument("id", metavar="ID")
    call.add_argument("json_text", nargs="?", metavar="JSON", help="its argument; none: {}")

    capabilities = commands.add_parser("capabilities", parents=[shared], help="list or show capabilities")
    capabilities.add_argument("action", choices=("list", "show"))
    capabilities.add_argument("id", nargs="?", metavar="ID")

    commands.add_parser(
        "doctor",
        parents=[shared],
        help="say what is set up and what is missing",
        description="Check versions, configuration, cache, servers and credentials.",
    )

    commands.add_parser("resume", add_help=False, help="go on with a durable run (rtfs resume --help)")
    commands.add_parser("runs", add_help=False, help="list or delete durable runs (rtfs runs --help)")
    commands.add_parser("audit", add_help=False, help="show, verify or export a ledger (rtfs audit --help)")
    commands.add_parser("mcp", add_help=False, help="list, import, log in to MCP servers (rtfs mcp --help)")
    commands.add_parser("test", add_help=False, help="run golden tests (rtfs test --help)")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("more than 0 seconds")
    return value
