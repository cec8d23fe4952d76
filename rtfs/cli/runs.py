"""Durable runs at the command line: `rtfs run --durable`, `rtfs resume RUN`, `rtfs runs`; and recordings.

Must not know journals inside. Invariant: a run is resumed with the configuration, files and grants it was started with,
in the folder where it was started; nothing given now widens them.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli import wiring
from rtfs.cli.options import Options
from rtfs.cli.output import write, writing
from rtfs.cli.stores import add_options, run_store, state_of, take
from rtfs.cli.terminal_run import live
from rtfs.cli.timestamps import moment, shown
from rtfs.cli.usage_errors import Parser, add_action
from rtfs.host.durable.store import DONE, ENDED
from rtfs.paths import is_url, without_password
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.durable.runs import RunState
    from rtfs.host.durable.store import RunStore
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source

KEPT = ("allow", "config", "isolate", "ledger", "load", "mcp_config", "principal", "state")
"""The options that a resumed run needs again."""
SHOWN = 500
"""Characters of the call that a run waits for."""


def run_kept(runtime: Runtime, source: Source, given: dict[str, Any], options: Options) -> Any:
    """Run a program as `--durable`, `--record` or `--replay` say; its value. given: context and params. The id of a
    durable run goes to standard error."""
    if options.durable + (options.record is not None) + (options.replay is not None) > 1:
        raise HostError("a run is durable, or recorded, or replayed: one of them", code="usage")
    given = {**given, "timeout": options.timeout, "check": options.check}
    if not options.durable:
        return runtime.run(source, record=options.record, replay=options.replay, **given)
    run_id = options.run_id or os.urandom(6).hex()
    runtime.shell.update({name: getattr(options, name) for name in KEPT})
    if options.state is not None:  # rtfs resume has to name a database again
        runtime.shell["state"] = None if is_url(options.state) else os.path.abspath(options.state)
    if options.ledger is not None and is_url(options.ledger):
        runtime.shell["ledger"] = without_password(options.ledger)
    print(f"run {run_id}", file=sys.stderr, flush=True)
    return runtime.run(source, durable=True, run_id=run_id, **given)


def resume(options: Options) -> int:
    """`rtfs resume RUN`: continue a run and print its value. Raises UserError, SystemExit for usage."""
    from rtfs.host.durable.runs import RunState

    found = _resume_parser().parse_args(options.rest)
    options.json, options.debug, options.verbose = bool(found.json), bool(found.debug), found.verbose
    take(found, options)
    place = state_of(options, warns=False)
    store = run_store(options)
    try:
        view = store.look(found.run)
    finally:
        store.close()
    state = RunState(view)
    if found.question is not None and found.question != state.question:
        raise HostError(
            f"run {found.run} does not ask {found.question!r}",
            code="run/no-question",
            hint=f"it asks {state.question!r}" if state.question else f"it is {state.state}",
        )
    if state.by_workers:
        from rtfs.cli.remote_resume import resume_elsewhere

        resume_elsewhere(options, found, state)
        return 0
    if not state.shell:
        raise HostError(
            f"run {found.run} was started by a Python program, which knows its capabilities",
            code="usage",
            hint=f"resume it there: Runtime.resume({found.run!r})",
        )
    for name in KEPT:
        if name in state.shell:
            setattr(options, name, state.shell[name])
    options.state = place if place is None or is_url(place) else os.path.abspath(place)
    options.no_input = found.no_input
    if state.question.startswith("approval:"):
        from rtfs.cli.run_signals import tell_verdict, verdict

        given = verdict(found)
        if given is not None:
            tell_verdict(options, found.run, state.question, given)
    elif found.approve_for_run:
        from rtfs.cli.run_signals import no_approval

        raise no_approval(state)
    elif found.approve:  # it began to wait under an rtfs that kept no questions
        options.approve = state.asked
    fields: dict[str, Any] = {"retry": found.retry, "assume_failed": found.assume_failed, "call": found.call}
    if found.result is not None:
        fields["result"] = wiring.parse_value(found.result, "--result")
    try:
        os.chdir(state.folder)
    except OSError as error:
        raise HostError(
            f"cannot go to {state.folder}, where the run was started: {(error.strerror or str(error)).lower()}",
            code="file/unreadable",
        ) from None
    with wiring.runtime(options) as runtime:
        with writing(), live(runtime):
            value = runtime.resume(
                found.run, accept_changes=found.accept_changes, timeout=found.timeout, allow=found.allow, **fields
            )
        wiring.show(_of_plan(state, value), options)
    return 0


def _of_plan(state: RunState, value: Any) -> Any:
    """The value of the plan alone, if a session of `rtfs mcp serve` has composed the program."""
    from rtfs.serve.sessions import value_of_plan

    return value_of_plan(state.text, value)


def runs(options: Options) -> int:
    """`rtfs runs [list|show|delete|prune|migrate]`: list durable runs, show one, or delete some; make the tables of a
    database. Raises UserError, SystemExit for usage."""
    found = _runs_parser().parse_args(options.rest)
    options.json, options.debug = bool(found.json), bool(found.debug)
    take(found, options)
    if found.action == "migrate":
        return _migrate(options)
    store = run_store(options)
    try:
        if found.action == "schedules":
            _schedules(store, options)
        elif found.action == "show":
            from rtfs.cli.runs_show import show_run

            show_run(store, found.run, found.ledger, options.json)
        elif found.action == "delete":
            for run_id in found.run:
                store.delete(run_id)
        elif found.action == "prune":
            before = None if found.before is None else moment(found.before, "--before")
            store.prune(before, ENDED if found.all else (DONE,))
        else:
            _list(store, found, options.json)
    finally:
        store.close()
    return 0


def _schedules(store: RunStore, options: Options) -> None:
    from rtfs.host.durable.postgres.store import PostgresRunStore
    from rtfs.host.workers.housekeeping import schedules

    if not isinstance(store, PostgresRunStore):
        raise HostError("only a database has schedules", code="usage", hint="--state postgresql://…")
    found = schedules(store)
    if options.json:
        import json

        names = ("schedule", "cron", "next", "program")
        write(json.dumps([dict(zip(names, row, strict=True)) for row in found], ensure_ascii=False))
        return
    for id, cron, next_at, name in found:
        write(f"{id:<14} {cron:<20} next {shown(next_at)}  {name}")


def _migrate(options: Options) -> int:
    place = state_of(options)
    if not is_url(place):
        raise HostError(
            "only a database has tables to make", code="usage", hint="rtfs runs migrate --state postgresql://…"
        )
    from rtfs.host.dispatch.queued_store import make_tables

    done = make_tables(str(place))
    if options.json:
        import json

        write(json.dumps({"applied": done}))
    else:
        write(f"applied {', '.join(done)}" if done else "nothing to do: the tables are those of this rtfs")
    return 0


def _list(store: RunStore, found: Any, as_json: bool) -> None:
    from rtfs.host.durable.runs import RunState

    states = []
    for run_id in store.list(principal=found.principal, limit=found.last):
        try:
            state = RunState(store.look(run_id))
        except HostError as error:
            print(f"{run_id}: {error.message}", file=sys.stderr)
            continue
        if found.status is None or state.state == found.status:
            states.append(state)
    if as_json:
        import json

        write(json.dumps([_plain(state) for state in states], ensure_ascii=False))
    else:
        for state in states:
            write(_line(state))


def _plain(state: RunState) -> dict[str, Any]:
    fields = {"run": state.run_id, "state": state.state, "calls": state.calls, "began": state.began}
    fields |= {"program": state.name, "folder": state.folder}
    if state.state == "waiting" and state.asked:
        fields["asked"] = state.asked
    if state.question:
        fields["question"] = state.question
        if state.for_run:
            fields["for_run"] = True
    if state.wakes is not None:
        fields["wakes"] = state.wakes
    return fields if state.note is None else {**fields, "note": state.note}


def _line(state: RunState) -> str:
    from rtfs.syntax.diagnostics import clean

    calls = f"{state.calls} call{'' if state.calls == 1 else 's'}"
    text = f"{state.run_id:<14} {state.state:<11} {shown(state.began)}  {calls:<10} {state.name}"
    if state.note is not None:
        text += f"\n    {state.note}"
    if state.state == "waiting" and state.asked:
        text += f"\n    {state.asked[:SHOWN]}" + (" …" if len(state.asked) > SHOWN else "")
    return clean(text)


def _resume_parser() -> Parser:
    parser = Parser(
        prog="rtfs resume",
        description="Continue a durable run where it stopped. Calls that were made are not made again.",
    )
    parser.add_argument("run", metavar="RUN")
    doubt = parser.add_mutually_exclusive_group()
    doubt.add_argument("--retry", action="store_true", help="repeat a call whose outcome is not known")
    doubt.add_argument("--assume-failed", action="store_true", help="treat such a call as failed")
    doubt.add_argument("--result", metavar="JSON", help="use this as the result of such a call")
    parser.add_argument("--call", metavar="PATH", help="the call to apply this to, if several have unknown outcomes")
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--approve", action="store_true", help="approve the call that the run is waiting for")
    answer.add_argument(
        "--approve-for-run",
        action="store_true",
        help="approve it, and the rest of the run's calls like it, if its rule says `for_run: true`",
    )
    answer.add_argument(
        "--refuse", metavar="REASON", help="refuse the call; the program gets the reason, which may be empty"
    )
    parser.add_argument("--question", metavar="ID", help="answer only this question, named as in rtfs runs --json")
    parser.add_argument("--accept-changes", action="store_true", help="continue although a file has changed")
    parser.add_argument("--allow", action="append", metavar="GRANT", help="reduce the run's grants to these")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="longest time the run may take")
    add_options(parser)
    parser.add_argument("--no-input", action="store_true", help="never ask; exit with 4 instead")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="show session events; -vv every record")
    parser.add_argument("--json", action="store_true", help="print the result (or the error) as JSON")
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks")
    return parser


def _runs_parser() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument("--json", action="store_true", default=False, help="print JSON")
    shared.add_argument("--debug", action="store_true", default=False, help="show Python tracebacks")
    add_options(shared)
    choice = Parser(add_help=False, parents=[shared])
    choice.add_argument("--status", metavar="STATE", help="only runs that are waiting, done, failed …")
    choice.add_argument("--principal", metavar="NAME", help="only the runs of this user")
    choice.add_argument("--last", type=int, metavar="N", help="only the newest N runs")
    parser = Parser(prog="rtfs runs", parents=[choice], description="List and manage durable runs, oldest first.")
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_action(actions, "list", "list them, with their states", choice)
    one = add_action(actions, "show", "show a run: its parameters, its calls, what it is waiting for", shared)
    one.add_argument("run", metavar="RUN")
    one.add_argument(
        "--ledger", metavar="FILE", help="ledger to take decisions and durations from; default: the run's own"
    )
    add_action(actions, "schedules", "list the schedules that submit runs", shared)
    delete = add_action(actions, "delete", "delete runs, with all their stored values", shared)
    delete.add_argument("run", nargs="+", metavar="RUN")
    prune = add_action(actions, "prune", "delete all runs that are done", shared)
    prune.add_argument("--all", action="store_true", help="also runs that failed or were cancelled")
    prune.add_argument(
        "--before", metavar="TIME", help="only runs that ended before a time, or at least so long ago: 7d"
    )
    add_action(actions, "migrate", "create the tables of a database, or upgrade them", shared)
    return parser
