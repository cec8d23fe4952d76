"""`rtfs mcp serve [PLAN.rtfs …] [--code] [--http HOST:PORT]`: be an MCP server.

Must not know how serving works. Invariants: plans of people who come over HTTP run in processes of their own, unless it
is said otherwise; standard output belongs to the protocol; no question is asked at the terminal, for a client owns
standard input; without the extra `serve` the error says what to install.
"""

from __future__ import annotations

from rtfs.cli import wiring
from rtfs.cli.options import seconds
from rtfs.cli.usage_errors import Parser, add_server_options
from rtfs.paths import is_url
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from mcp.server.auth.provider import TokenVerifier

    from rtfs.cli.options import Options
    from rtfs.host.config.config import ServeSettings
    from rtfs.serve.console.app import Console
    from rtfs.serve.listening import Listening
    from rtfs.serve.runs import PlanRuns

_EPILOG = """Without plan files, and with --code, models get the tools search, describe and run_plan: they write plans
that may use everything the policy allows. A plan file ends in (plan "name" "what it does" {:params {…}} body); each
becomes a tool.

  claude mcp add rtfs -- rtfs mcp serve --config rtfs.yaml"""


def serve(words: list[str], options: Options) -> int:
    """Serve until the client is gone. Raises UserError, SystemExit for usage."""
    import argparse

    parser = Parser(
        prog="rtfs mcp serve",
        description="Serve plans over MCP, on standard input and output, or over HTTP.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("plans", nargs="*", metavar="PLAN", help="plan files; each becomes a tool")
    parser.add_argument("--code", action="store_true", help="let models write plans, in addition to the plan files")
    parser.add_argument("--http", metavar="HOST:PORT", help="serve over Streamable HTTP instead, at /mcp")
    parser.add_argument(
        "--console",
        choices=("look", "answer"),
        help="with --http: serve a page at /console, read-only or to answer approvals",
    )
    parser.add_argument("--allow", action="append", default=[], metavar="GRANT", help="grant, as in rtfs run")
    parser.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    parser.add_argument("--load", action="append", default=[], metavar="FILE", help="file of trusted declarations")
    add_server_options(parser)
    parser.add_argument("--principal", metavar="NAME", help="user to act for")
    parser.add_argument("--ledger", metavar="FILE", help="keep the ledger of all calls in this file")
    parser.add_argument("--timeout", metavar="SECONDS", default="600", help="longest time of one run (default: 600)")
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="json: all events and warnings, one object per line",
    )
    parser.add_argument("--otel", action="store_true", help="send OpenTelemetry traces and metrics by OTLP over HTTP")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--isolate", action="store_true", help="run plans in sandboxed worker processes, as --http does")
    where.add_argument("--no-isolate", action="store_true", help="run plans in this process over HTTP too")
    parser.add_argument(
        "--allow-unsandboxed",
        action="store_true",
        help="serve over HTTP even if the kernel lacks part of the sandbox",
    )
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks")
    found = parser.parse_args(words)
    limit = seconds(found.timeout)
    if limit is None:
        raise HostError(f"--timeout takes seconds above 0, not {found.timeout!r}", code="usage")
    if found.console is not None and found.http is None:
        raise HostError("--console is served with --http", code="usage", hint="rtfs console serves it by itself")
    for name in ("allow", "config", "load", "mcp_config", "trust", "principal", "ledger", "debug"):
        setattr(options, name, getattr(found, name))
    options.no_input = True
    options.isolate = found.isolate or (found.http is not None and not found.no_isolate)
    if found.http is not None and options.isolate and not found.allow_unsandboxed:
        _check_sandbox()
    _check_packages(found.console is not None)
    import asyncio
    import gc

    gc.set_threshold(700, 10, 10)  # as Python has it: a server that lives for months has to find its cycles
    asyncio.run(_serve(found, options, limit))
    return 0


def _check_sandbox() -> None:
    """Raise HostError `config/isolation` where a part of the sandbox of worker processes does not hold."""
    from rtfs.host.isolation.pool import workers

    missing = workers.missing_walls()
    if missing:
        raise HostError(
            f"the sandbox of worker processes is not whole here: without {', '.join(missing)}",
            code="config/isolation",
            hint="serve strangers from a system whose kernel has it (rtfs doctor), or say --allow-unsandboxed",
        )


async def _serve(found: argparse.Namespace, options: Options, limit: float) -> None:
    import asyncio
    from contextlib import AsyncExitStack

    from rtfs.cli import json_log
    from rtfs.cli.runs import KEPT
    from rtfs.host.config.config import ServeSettings, read_config
    from rtfs.serve.http import callers, serve_http
    from rtfs.serve.listening import Address, Listening
    from rtfs.serve.plan_files import PlanFiles
    from rtfs.serve.runs import PlanRuns
    from rtfs.serve.server import PlanServer, serve_stdio
    from rtfs.serve.tokens import tokens_of
    from rtfs.serve.tools import CODE, ON_RUNS, Tools

    code = found.code or not found.plans
    address = None if found.http is None else Address(found.http)
    runs = PlanRuns(limit)
    asked: dict[str, Any] = {"asks": False, "persons": (runs.approve, runs.elicit), "wording": "model"}
    if found.log_format == "json":
        json_log.begin()
        runtime = wiring.runtime(options, told=json_log.warn, on_warning=json_log.warn, **asked)
        runtime.events.subscribe(json_log.hear)
        tell = json_log.say
    else:
        runtime, tell = wiring.runtime(options, **asked), None
    async with AsyncExitStack() as ends:
        await ends.enter_async_context(runtime)  # its sessions are on this loop, as its plans are
        if is_url(runtime.options.state):  # else the first durable run would find out that it cannot be used
            await asyncio.to_thread(runtime._executor.store.list, limit=1)
        if found.otel:
            from rtfs.cli import otel

            ends.push_async_callback(asyncio.to_thread, otel.begin(runtime))
        runs.runtime = runtime
        runtime.shell.update({name: getattr(options, name) for name in KEPT})  # so that `rtfs resume` can continue runs
        tools = Tools(runtime, runs, PlanFiles(runtime, found.plans, CODE if code else ON_RUNS), code)
        ends.callback(tools.close)
        settings = (
            ServeSettings() if options.config is None or address is None else read_config(options.config).settings.serve
        )
        server = PlanServer(tools, callers(settings, runtime.options.principal), code)
        if address is None:
            await serve_stdio(server)
            return
        listening = Listening(address)
        ends.callback(listening.close)
        tokens = tokens_of(settings)
        shown = None
        if found.console is not None:
            shown = _console(found.console, runs, settings, listening, options, tokens)
        await serve_http(server, settings, listening, address, tell, tokens, shown)


def _check_packages(console: bool) -> None:
    """Raise HostError `usage` where a package is missing that serving needs."""
    try:
        import mcp.server.lowlevel  # noqa: F401
        import uvicorn  # noqa: F401

        if console:
            import jinja2  # noqa: F401
    except ImportError as error:
        what = "the console needs Jinja" if error.name == "jinja2" else "serving needs the official MCP SDK"
        raise HostError(what, code="usage", hint="pip install 'rtfs-host[serve]'") from None


def _console(
    mode: str,
    runs: PlanRuns,
    settings: ServeSettings,
    listening: Listening,
    options: Options,
    tokens: TokenVerifier | None,
) -> Console:
    """The console of a server. Raises HostError `usage` if no one could log in to it."""
    from rtfs.cli.console import finding, link_shower
    from rtfs.cli.run_signals import who
    from rtfs.serve.console.access import Access
    from rtfs.serve.console.answers import Answers
    from rtfs.serve.console.app import LOCAL, Console
    from rtfs.serve.console.runs import HeardCalls, RunBrowser

    show = link_shower(listening.url)
    if show is None and tokens is None:
        raise HostError(
            "the console would not be usable: it needs access tokens (serve.auth), or a terminal that shows its link",
            code="usage",
            hint="rtfs console, at a terminal, shows the same runs",
        )
    access = Access(mode == "answer", None if tokens is None else tokens.verify_token, show, who())
    heard = HeardCalls()
    runs.runtime.events.subscribe(heard.hear)
    console = Console(
        RunBrowser(runs.runtime, heard), access, Answers(runs.token_of, finding(options)), (*LOCAL, *settings.hosts),
        f"rtfs_console_{listening.port}",
    )  # fmt: skip
    access.offer_link()
    return console
