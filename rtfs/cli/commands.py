"""The command `rtfs`: which subcommand, and what every one of them shares: exit codes, signals, pipes, errors.

Must not know what a subcommand does. Invariant: whatever happens, the command ends with a documented exit code and a
message for people, never with a traceback (unless `--debug`). Heavy modules are imported by the subcommand that needs
them: `rtfs run FILE` meets no argparse.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli.options import Options, Usage, parse_run
from rtfs.cli.output import OutputGone, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
COMMANDS = (
    "run", "check", "repl", "call", "capabilities", "test", "fmt", "mcp", "doctor", "resume", "runs", "audit",
    "card", "fix", "describe", "lsp", "signal", "cancel", "console", "worker", "submit",
)  # fmt: skip


def run_command(arguments: list[str]) -> int:
    """Run the command with these arguments; returns its exit code."""
    options: Options | None = None
    _tolerant_streams()
    restore = _on_terminate()
    try:
        options = _parse(arguments)
        code = _dispatch(options)
        _flush()
        return code
    except Usage as usage:
        from rtfs.cli.usage_errors import show

        show(usage, "--json" in arguments)
        return EXIT_USAGE
    except SystemExit as leaving:  # argparse after printing, or SIGTERM
        return leaving.code if isinstance(leaving.code, int) else EXIT_USAGE
    except KeyboardInterrupt:
        _say("interrupted")
        return EXIT_INTERRUPTED
    except OutputGone as gone:
        _abandon(sys.stdout)
        if gone.reason:
            _say(f"cannot write the output: {gone.reason}")
        return EXIT_ERROR
    except Exception as error:
        return _report(error, options)
    finally:
        restore()


def _parse(arguments: list[str]) -> Options:
    first = arguments[0] if arguments else ""
    if first == "help" and not os.path.isfile(first):
        arguments = [*arguments[1:2], "--help"]
        first = arguments[0]
    if first == "run":
        options = parse_run(arguments[1:])
        if options is not None:
            return options
    elif first and first not in COMMANDS and (not first.startswith("-") or first == "-e" or first == "-"):
        if first in ("-", "-e") or first.endswith(".rtfs") or os.path.isfile(first):  # `#!/usr/bin/env rtfs`
            options = parse_run(arguments)
            if options is not None:
                return options
            arguments = ["run", *arguments]
        elif first not in ("-", "-e"):
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(first, COMMANDS)
            raise Usage(
                f"there is no command or file {first!r}",
                f"did you mean {near}?" if near else None,
                "usage: rtfs COMMAND …, or rtfs FILE",
            )
    from rtfs.cli.parser import parse

    return parse(arguments)


def _dispatch(options: Options) -> int:
    if options.command == "run":
        from rtfs.cli.run import run

        return run(options)
    if options.command == "repl":
        from rtfs.cli.repl import repl

        return repl(options)
    if options.command == "check":
        from rtfs.cli.check import check

        return check(options)
    if options.command == "fix":
        from rtfs.cli.fix import fix

        return fix(options)
    if options.command == "lsp":
        from rtfs.cli.lsp import lsp

        return lsp(options)
    if options.command == "describe":
        from rtfs.cli.describe import describe

        return describe(options)
    if options.command == "doctor":
        from rtfs.cli.doctor import doctor

        return doctor(options)
    if options.command == "card":
        import rtfs
        from rtfs.cli.output import write

        write(rtfs.card().rstrip("\n"))
        return 0
    if options.command == "call":
        from rtfs.cli.call import call

        return call(options)
    if options.command == "test":
        from rtfs.testing.command import run as run_tests

        return run_tests(options.rest)
    if options.command == "fmt":
        from rtfs.cli.fmt import fmt

        return fmt(options.rest)
    if options.command == "resume":
        from rtfs.cli.runs import resume

        return resume(options)
    if options.command == "runs":
        from rtfs.cli.runs import runs

        return runs(options)
    if options.command == "signal":
        from rtfs.cli.run_signals import signal

        return signal(options)
    if options.command == "cancel":
        from rtfs.cli.run_signals import cancel

        return cancel(options)
    if options.command == "worker":
        from rtfs.cli.worker import worker

        return worker(options)
    if options.command == "submit":
        from rtfs.cli.worker import submit

        return submit(options)
    if options.command == "audit":
        from rtfs.cli.audit import audit

        return audit(options)
    if options.command == "console":
        from rtfs.cli.console import console

        return console(options)
    if options.command == "mcp":
        from rtfs.cli.mcp import mcp

        return mcp(options)
    from rtfs.cli.capabilities import capabilities

    return capabilities(options)


def _report(error: Exception, options: Options | None) -> int:
    from rtfs.cli.report import exit_code, report
    from rtfs.values import UserError

    try:
        return report(error, options)
    except OSError:  # standard error has gone away
        _abandon(sys.stderr)
        return exit_code(error) if isinstance(error, UserError) else EXIT_ERROR


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr)
    except OSError:
        pass


def _flush() -> None:
    with writing():
        # the language server closes it when its client has said that it leaves
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()


def _abandon(stream: Any) -> None:
    """Nothing can be written to a standard stream any more: keep the interpreter from complaining about it at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        pass


def _tolerant_streams() -> None:
    """Print what the terminal's encoding cannot say as escapes instead of failing; and whole lines at once, also into a
    pipe or a file: what is printed and what is said besides stay in order, and a run that is killed has said what it
    had printed."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace", line_buffering=True)


def _on_terminate() -> Any:
    """End politely on SIGTERM and, unless it is ignored (nohup), on SIGHUP; answers the function that restores what
    was."""
    from _signal import (  # type: ignore[import-not-found]  # `signal` itself imports enum
        SIG_IGN,
        SIGHUP,
        SIGTERM,
        getsignal,
        signal,
    )

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)  # unwinds like an interrupt, so that sessions are ended

    before = {number: getsignal(number) for number in (SIGTERM, SIGHUP)}
    try:
        for number, was in before.items():
            if was != SIG_IGN:
                signal(number, stop)
    except ValueError:  # not the main thread
        return lambda: None
    return lambda: [signal(number, was) for number, was in before.items()]
