"""`rtfs worker` and `rtfs submit FILE`: durable runs that any machine advances.

Must not know databases. Invariant: a process of several that dies is replaced; what ends the command ends all of them.
"""

from __future__ import annotations

import sys

from rtfs.cli import wiring
from rtfs.cli.output import write
from rtfs.cli.usage_errors import Parser, add_server_options
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from rtfs.cli.options import Options

SHARED = ("allow", "config", "load", "mcp_config", "trust", "principal", "ledger", "state", "verbose", "debug")
_WORKER = """A worker continues each run with the worker's configuration, capabilities and credentials; a call needs the
grants of both the worker and the run. After SIGTERM the worker completes its current calls and gives its runs back."""
_SUBMIT = """Prints the id of the run. Workers advance it; follow and steer it with rtfs runs show RUN, rtfs signal,
rtfs cancel and rtfs resume."""
RESTART, SETTLED = 1.0, 10.0
"""Seconds before a process that has died is replaced; seconds after which its death was no false start."""


def worker(options: Options) -> int:
    """`rtfs worker`. Raises UserError, SystemExit for usage."""
    parser = _parser("worker", "Advance the durable runs in a database, until SIGTERM.", _WORKER)
    parser.add_argument("--runs", type=int, default=8, metavar="N", help="runs at once, in each process (default: 8)")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--label", action="append", default=[], help="a label that runs may require (submit --label)")
    parser.add_argument("--keep", type=float, metavar="DAYS", help="delete runs that ended more than so many days ago")
    parser.add_argument(
        "--lease",
        type=float,
        default=15.0,
        metavar="SECONDS",
        help="a worker that is silent for so long loses its runs (default: 15)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="time for unfinished calls after SIGTERM (default: 60)",
    )
    parser.add_argument("--isolate", action="store_true", help="run plans in sandboxed processes")
    found = parser.parse_args(options.rest)
    _take(found, options)
    options.no_input, options.isolate = True, found.isolate
    if found.processes < 1 or found.runs < 1:
        raise HostError("a worker has at least one process and one run at a time", code="usage")
    if found.processes > 1:
        return _supervise(found.processes, options.rest)
    _log(options.verbose)
    from rtfs.host.workers.worker import work

    keep = None if found.keep is None else found.keep * 86_400
    with wiring.runtime(options, asks=False) as runtime:
        work(runtime._executor, runs=found.runs, labels=found.label, keep=keep, lease=found.lease, grace=found.grace)
    return 0


def submit(options: Options) -> int:
    """`rtfs submit FILE`. Raises UserError, SystemExit for usage."""
    parser = _parser("submit", "Have workers run a program.", _SUBMIT)
    parser.add_argument("file", nargs="?", metavar="FILE", help="program, or - for standard input")
    parser.add_argument("-e", dest="expression", metavar="EXPR", help="program text")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="TIME", help="earliest start: 2026-11-29T09:30:00+01:00, or 2h (from now)")
    when.add_argument("--cron", metavar="EXPR", help="repeat on a schedule: minute hour day month weekday, in UTC")
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="from -20 to 20; higher values run first")
    parser.add_argument("--key", metavar="KEY", help="idempotency key: submitting the same again returns the first run")
    parser.add_argument("--label", action="append", default=[], help="a label that the worker must have")
    parser.add_argument("--context", metavar="JSON", help="values for @name, a JSON object; @FILE reads it from a file")
    parser.add_argument(
        "--param",
        dest="params",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of its (plan …)",
    )
    parser.add_argument("--run-id", metavar="ID", help="name of the run; generated if left out")
    parser.add_argument("--wait", action="store_true", help="wait until the run ends, and print its value")
    parser.add_argument("--no-check", action="store_true", help="submit the program even if it is provably wrong")
    parser.add_argument("--json", action="store_true", help="print the value (or the error) as JSON")
    found = parser.parse_args(options.rest)
    _take(found, options)
    options.json = found.json
    if (found.file is None) == (found.expression is None):
        raise HostError("submit takes a FILE, or - for standard input, or -e EXPR", code="usage")
    options.file, options.expression = found.file, found.expression
    options.context, options.params = found.context, found.params
    from rtfs.cli.run import context_of, params_of, source_of
    from rtfs.cli.runs import KEPT
    from rtfs.cli.timestamps import coming

    at = None if found.at is None else coming(found.at, "--at")
    source, context = source_of(options), context_of(options)
    with wiring.runtime(options) as runtime:
        runtime.shell.update({name: getattr(options, name) for name in KEPT})
        run_id = runtime.submit(
            source,
            at=at,
            cron=found.cron,
            priority=found.priority,
            labels=found.label,
            key=found.key,
            context=context,
            params=params_of(runtime, source, options),
            run_id=found.run_id,
            check=not found.no_check,
        )
        if not found.wait or found.cron is not None:
            write(run_id)
            return 0
        print(f"run {run_id}", file=sys.stderr, flush=True)
        import asyncio

        wiring.show(asyncio.run(runtime.wait(run_id)), options)
    return 0


def _parser(name: str, description: str, epilog: str) -> Parser:
    parser = Parser(prog=f"rtfs {name}", description=description, epilog=epilog)
    parser.add_argument(
        "--state", metavar="PLACE", help="the database, postgresql://…; default: from the configuration"
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    parser.add_argument("--allow", action="append", default=[], metavar="GRANT", help="grant, as in rtfs run")
    parser.add_argument("--load", action="append", default=[], metavar="FILE", help="file of trusted declarations")
    add_server_options(parser)
    parser.add_argument("--principal", metavar="NAME", help="user to act for")
    parser.add_argument("--ledger", metavar="FILE", help="keep the ledger of all calls in this file")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="report each run; -vv: every record")
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks")
    return parser


def _take(found: argparse.Namespace, options: Options) -> None:
    for name in SHARED:
        setattr(options, name, getattr(found, name))


def _log(verbose: int) -> None:
    import logging

    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("rtfs.worker").setLevel(logging.INFO if verbose else logging.WARNING)
    for name in ("procrastinate", "psycopg"):  # what they say is said in the worker's own words
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _supervise(count: int, words: list[str]) -> int:
    """Keep so many worker processes until SIGTERM or SIGINT; the exit code of one that cannot begin."""
    import signal
    import subprocess
    from time import monotonic, sleep

    command = [sys.executable, "-m", "rtfs", "worker", *words, "--processes", "1"]
    children: dict[subprocess.Popen[bytes], float] = {}
    stopping: list[int] = []

    def stop(number: int, frame: object) -> None:
        stopping.append(number)
        for child in children:
            child.send_signal(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopping or children:
        while len(children) < count and not stopping:
            children[subprocess.Popen(command, stdin=subprocess.DEVNULL)] = monotonic()
        for child, began in list(children.items()):
            code = child.poll()
            if code is None:
                continue
            del children[child]
            if not stopping and code in (1, 2) and monotonic() - began < SETTLED:
                stop(signal.SIGTERM, None)
                for other in children:
                    other.wait()
                return code
            if not stopping:
                print(f"a worker process ended with {code}; it is replaced", file=sys.stderr, flush=True)
                sleep(RESTART)
        sleep(0.1)
    return 0
