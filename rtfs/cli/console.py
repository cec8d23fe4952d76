"""`rtfs console`: the page that shows runs, approvals and the ledger, on this machine.

Must not know pages. Invariants: it listens on the loopback alone; the link that lets a browser in is shown at a
terminal and nowhere else, so that no program that reads our output can follow it.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli import wiring
from rtfs.cli.run_signals import who
from rtfs.cli.usage_errors import Parser, add_server_options
from rtfs.paths import is_url
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.cli.options import Options

_EPILOG = """The page shows the durable runs of this user and the ledger (of --ledger, or else of the configuration).
Without --answer it is read-only.

  rtfs console --config rtfs.yaml --answer"""


def console(options: Options) -> int:
    """Serve the console until interrupted. Raises UserError, SystemExit for usage."""
    import argparse
    import asyncio

    parser = Parser(
        prog="rtfs console",
        description="Watch runs in a browser, look through the ledger, answer approvals.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--answer", action="store_true", help="let people answer approvals on the page")
    parser.add_argument(
        "--http", metavar="HOST:PORT", default="127.0.0.1:0", help="local address to listen on; default: a free port"
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    parser.add_argument("--state", metavar="PLACE", help="folder or database (postgresql://…) of durable runs")
    parser.add_argument("--ledger", metavar="FILE", help="the ledger to show")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="GRANT", help="grants for the catalogue, as in rtfs run"
    )
    parser.add_argument("--load", action="append", default=[], metavar="FILE", help="file of trusted declarations")
    add_server_options(parser)
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks")
    found = parser.parse_args(options.rest)
    for name in ("allow", "config", "ledger", "load", "mcp_config", "state", "trust", "debug"):
        setattr(options, name, getattr(found, name))
    options.no_input = True
    try:
        import jinja2  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise HostError("the console needs a web server", code="usage", hint="pip install 'rtfs-host[serve]'") from None
    asyncio.run(_serve(found, options))
    return 0


async def _serve(found: Any, options: Options) -> None:
    from rtfs.serve.console.access import Access
    from rtfs.serve.console.answers import Answers
    from rtfs.serve.console.app import LOCAL, PATH, Console
    from rtfs.serve.console.runs import RunBrowser
    from rtfs.serve.console.shown import know_environment
    from rtfs.serve.listening import Address, Listening

    address = Address(found.http)
    if not address.local:
        raise HostError(
            f"{address.host} can be reached from other machines; the console is for this one",
            code="usage",
            hint="rtfs mcp serve --http … --console look serves it to people with tokens",
        )
    if not sys.stderr.isatty():
        raise HostError(
            "the link to the console is shown at a terminal, and standard error is not one", code="usage",
            hint="start it at a terminal",
        )  # fmt: skip
    know_environment()
    runtime = wiring.runtime(options, asks=False)
    listening = Listening(address)
    try:
        access = Access(found.answer, show_link=link_shower(listening.url), person=who())
        browser = RunBrowser(runtime)
        shown = Console(browser, access, Answers(words=finding(options)), LOCAL, f"rtfs_console_{listening.port}")
        access.offer_link()
        from starlette.applications import Starlette

        app = Starlette(routes=[shown.mount()])
        await listening.serve(app, None, f"Ctrl-C ends the console at {listening.url}{PATH}")
    finally:
        listening.close()
        await runtime.aclose()


def finding(options: Options) -> list[str]:
    """The words with which `rtfs resume` finds the same runs as a command with these options."""
    if options.state is not None:
        return ["--state", options.state if is_url(options.state) else os.path.abspath(options.state)]
    return [] if options.config is None else ["--config", os.path.abspath(options.config)]


def link_shower(url: str) -> Callable[[str], None] | None:
    """A function that shows a one-time link at the terminal; None if standard error is not a terminal."""
    from rtfs.serve.console.app import PATH

    if not sys.stderr.isatty():
        return None
    return lambda token: print(f"open {url}{PATH}/#{token} (works once)", file=sys.stderr, flush=True)
