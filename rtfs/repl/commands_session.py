"""Commands about the session itself: `:time :load :reload :set :help :quit`."""

from __future__ import annotations

from rtfs.repl.commands import command, commands, usage_error
from rtfs.repl.table import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.repl.session import Session


@command("time", "PROGRAM", "Run a program and say how long it took and how many calls it made.")
def time(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("time")
    from time import perf_counter

    ledger = session.runtime.ledger
    before = ledger.head[0]
    started = perf_counter()
    value = session.evaluate(argument)
    took = perf_counter() - started
    calls = sum(1 for record in ledger if record.seq > before and record.kind == "outcome")
    session.result(value)
    session.note(f"{spoken(took)}, {calls} call{'' if calls == 1 else 's'}")


def spoken(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


@command("load", "FILE", "Run a file of definitions and declarations.")
def load(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("load")
    from rtfs.repl.loading import load_file

    load_file(session, argument.strip('"'))


@command("reload", "", "Run the loaded files and the imported modules again that have changed.")
def reload(session: Session, argument: str) -> None:
    from rtfs.repl.loading import reload_all

    reload_all(session)


@command("set", "[NAME VALUE]", "Show or change a setting: items, width, timeout, time.")
def set_(session: Session, argument: str) -> None:
    if argument:
        name, _, value = argument.partition(" ")
        session.settings.change(name, value.strip())
        return
    rows = [(f"{name:<8}{value}", meaning) for name, value, meaning in session.settings.shown()]
    session.say(table(rows, session.settings.columns()))


@command("help", "", "This list.")
def help_(session: Session, argument: str) -> None:
    rows = [(f":{one.name} {one.usage}", one.doc) for one in commands().values()]
    rest = (
        "Anything else is run as a program; its value is *1, earlier ones *2 and *3, the last error *e.\n"
        "An input ends where its brackets are closed. Ctrl-C cancels, Ctrl-D ends."
    )
    session.say(table(rows, session.settings.columns()) + "\n\n" + rest)


@command("quit", "", "End the session (so does Ctrl-D).")
def quit_(session: Session, argument: str) -> None:
    session.ended = True
