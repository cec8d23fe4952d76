"""`rtfs signal RUN NAME [JSON]` and `rtfs cancel RUN`: tell a durable run something, wherever it is.

Must not know journals inside. Invariant: who says what is in the ledger that the run was started with before the run is
told.
"""

from __future__ import annotations

from rtfs.cli import wiring
from rtfs.cli.stores import add_options, run_store, take
from rtfs.cli.usage_errors import Parser
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.audit.events import Events
    from rtfs.host.durable.runs import RunState
    from rtfs.host.durable.store import RunStore


def signal(options: Options) -> int:
    """`rtfs signal RUN NAME [JSON]`. Raises UserError, SystemExit for usage."""
    parser = _parser("signal", "Send a signal to a durable run: (await-signal NAME) in its plan gives the value.")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("value", metavar="JSON", nargs="?", default="null", help="the value; without it nil")
    found = parser.parse_args(options.rest)
    options.json, options.debug = bool(found.json), bool(found.debug)
    take(found, options)
    from rtfs.host.durable.answers import answer

    value = wiring.parse_value(found.value, "the value")
    _telling(
        options,
        found.run,
        lambda store, events: answer(store, events, found.run, f"signal:{found.name}", value, who()),
    )
    return 0


def cancel(options: Options) -> int:
    """`rtfs cancel RUN`. Raises UserError, SystemExit for usage."""
    parser = _parser("cancel", "End a durable run, wherever it is. What it did is not undone.")
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason, which the run's error tells")
    found = parser.parse_args(options.rest)
    options.json, options.debug = bool(found.json), bool(found.debug)
    take(found, options)
    from rtfs.host.durable.answers import cancel as end

    if not _ends_schedule(options, found.run):
        _telling(options, found.run, lambda store, events: end(store, events, found.run, found.why, who()))
    return 0


def _ends_schedule(options: Options, id: str) -> bool:
    """End what is submitted again and again, if the id is that of such a thing."""
    from rtfs.cli.stores import state_of
    from rtfs.paths import is_url

    if not is_url(state_of(options, warns=False)):
        return False
    from rtfs.host.durable.postgres.store import PostgresRunStore
    from rtfs.host.workers.housekeeping import unschedule

    store = run_store(options)
    try:
        return isinstance(store, PostgresRunStore) and unschedule(store, id)
    finally:
        store.close()


def verdict(found: argparse.Namespace) -> Any:
    """The answer to an approval in the options of `rtfs resume`, as `Runtime.answer` takes it: True, for the rest of
    the run, or the reason of a no. None if there is no answer."""
    from rtfs.host.durable.answers import APPROVED_FOR_RUN

    if found.approve_for_run:
        return APPROVED_FOR_RUN
    return True if found.approve else found.refuse


def no_approval(state: RunState) -> HostError:
    """The error for `--approve-for-run` where the run waits for no approval."""
    return HostError(
        f"run {state.run_id} does not wait for an approval",
        code="run/no-question",
        hint=f"it asks {state.question!r}" if state.question else f"it is {state.state}",
    )


def tell_verdict(options: Options, run_id: str, question: str, verdict: Any) -> None:
    """Answer what a run waits for: the verdict about a call, or what became of one. Raises HostError `run/…`,
    `argument/invalid` for an approval that the rule does not offer."""
    from rtfs.host.durable.answers import answer

    _telling(options, run_id, lambda store, events: answer(store, events, run_id, question, verdict, who()))


def _telling(options: Options, run_id: str, tell: Callable[[RunStore, Events], Any]) -> None:
    from rtfs.host.durable.runs import RunState
    from rtfs.host.ledgers import ledger_of_run

    store = run_store(options)
    try:
        with ledger_of_run(RunState(store.look(run_id))) as events:
            tell(store, events)
    finally:
        store.close()


def who() -> str:
    """The user at the command line."""
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):  # a user id without a name
        import os

        return str(os.getuid())


def _parser(name: str, description: str) -> Parser:
    parser = Parser(prog=f"rtfs {name}", description=description)
    parser.add_argument("run", metavar="RUN")
    add_options(parser)
    parser.add_argument("--json", action="store_true", help="print errors as JSON")
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks")
    return parser
