"""Commands about the session itself: `:time :record :test :load :reload :save :history :set :help :quit`."""

from __future__ import annotations

import os

from rtfs.repl.commands import command, commands, usage_error
from rtfs.repl.table import table
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.audit.events import Event
    from rtfs.repl.session import Session


@command("time", "PROGRAM", "Run a program and say how long it took and how many calls it made.")
def time(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("time")
    from time import perf_counter

    ended: list[Event] = []
    unsubscribe = session.runtime.events.subscribe(ended.append)
    started = perf_counter()
    try:
        value = session.evaluate(argument)
        took = perf_counter() - started
    finally:
        unsubscribe()
    calls = sum(1 for event in ended if event.kind == "outcome")
    session.result(value)
    session.note(f"{spoken(took)}, {calls} call{'' if calls == 1 else 's'}")


def spoken(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


@command("record", "FILE PROGRAM", "Run a program and write its calls into FILE, for --replay and golden tests.")
def record(session: Session, argument: str) -> None:
    path, _, program = argument.partition(" ")
    if not program.strip():
        raise usage_error("record")
    session.result(session.evaluate(program.strip(), record=os.path.expanduser(path.strip('"'))))


@command("test", "[PATH]", "Run golden files, of PATH or this folder, with what is loaded.")
def test(session: Session, argument: str) -> None:
    from rtfs.testing.command import run

    loaded = [part for file in session.files for part in ("--load", file)]
    status = run([*loaded, *([os.path.expanduser(argument.strip('"'))] if argument else [])])
    session.failed = session.failed or status != 0


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


SAVED = ";; Saved from the prompt of rtfs."
"""The first line of a file that `:save` writes."""
_SHOWN = 20


@command("save", "FILE", "Write what worked in this session into a file; values too if a *.test.rtfs.")
def save(session: Session, argument: str) -> None:
    path = argument.strip('"')
    if not path:
        raise usage_error("save")
    kept = [(text, value) for text, value in session.inputs if value is not None]
    if not kept:
        raise HostError("nothing has worked in this session yet", code="usage")
    golden = path.endswith(".test.rtfs")
    parts = [f"{text.strip()}\n;=> {value}" if golden and value else text.strip() for text, value in kept]
    try:
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                if file.readline().rstrip("\n") != SAVED:
                    raise HostError(f"{path} is there already", code="file/exists", hint="name another file")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n\n".join([SAVED, *parts]) + "\n")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise HostError(f"cannot write {path}: {why}", code="file/unwritable") from None
    session.note(f"{path}: {len(kept)} input{'' if len(kept) == 1 else 's'}")


@command("history", "[TEXT]", "The latest inputs (20), or those that hold a text, of earlier sessions too.")
def history(session: Session, argument: str) -> None:
    from rtfs.repl.history import earlier, history_path

    own = [text for text, _ in session.inputs[:-1]]
    texts = own if not argument else [text for text in (*earlier(history_path()), *own) if argument in text]
    session.say("\n".join(dict.fromkeys(text.strip() for text in texts[-_SHOWN:])))


@command("set", "[NAME VALUE]", "Show or change a setting: items, text, width, timeout, time, pager.")
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
