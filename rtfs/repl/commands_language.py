"""Commands about the language: `:doc :source :apropos :type :check :ast :expand`."""

from __future__ import annotations

from rtfs.repl.commands import command, usage_error
from rtfs.repl.table import table, wrapped
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.repl.names import Description
    from rtfs.repl.session import Session

_MOST_FOUND = 60


@command("doc", "NAME", "What a name, capability or command is, with examples.")
def doc(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("doc")
    found = session.names.describe(argument)
    if found is None and argument.startswith(":"):
        from rtfs.repl.commands import commands

        known = commands().get(argument[1:])
        if known is not None:
            session.say(f":{known.name} {known.usage}".rstrip() + f"\n  {known.doc}")
            return
    if found is None:
        raise unknown(session, argument)
    session.say(described(found, session.settings.columns()))


@command("source", "NAME", "The text that defines a name.")
def source(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("source")
    names = session.names
    definition = names.definition(argument)
    span = definition.span if definition is not None else None
    if span is None:
        fields = names.fields(argument.strip('"'))
        span = fields.span if fields is not None else None
    if span is None:
        found = names.describe(argument)
        if found is None:
            raise unknown(session, argument)
        lines = wrapped(found.line, session.settings.columns())
        session.say("\n".join((f"; {argument} is a {found.kind} that is not written in RTFS", *lines)))
        return
    from rtfs.syntax.diagnostics import clean

    text = clean(span.text)
    if session.color:
        from rtfs.repl.paint import paint

        text = paint(text, names)
    session.say(f"; {clean(str(span))}\n{text}")


@command("apropos", "TEXT", "Names and capabilities whose name or doc contains a text.")
def apropos(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("apropos")
    names = session.names
    wanted = argument.strip('"').lower()
    hits: list[tuple[bool, str, str]] = []
    for name in (*names.symbols(), *names.capability_ids()):
        found = names.describe(name)
        text = "" if found is None else found.doc
        if wanted in name.lower() or wanted in text.lower():
            hits.append((wanted not in name.lower(), name, text))
    if not hits:
        session.say(f"nothing is called or described like {argument}")
        return
    hits.sort()
    rows = [(name, text) for _, name, text in hits[:_MOST_FOUND]]
    if len(hits) > _MOST_FOUND:
        rows.append((f"… and {len(hits) - _MOST_FOUND} more", ""))
    session.say(table(rows, session.settings.columns(), widest=40))


@command("type", "PROGRAM", "The type of a program's value (it is run for that).")
def type_(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("type")
    from rtfs.repl.shape import type_of
    from rtfs.repl.show import show

    value = session.evaluate(argument)
    shapes: list[str] = []
    if hasattr(value, "__code__"):
        found = session.names.describe(value.__name__)
        shapes = found.shapes if found is not None else []
    session.say(" ".join([show(type_of(value), items=0, width=session.settings.columns()), *shapes]))


@command("check", "PROGRAM or FILE", "What is wrong with a program, and what it may call; nothing is run.")
def check(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("check")
    import os

    from rtfs.cli.check import told
    from rtfs.cli.report import diagnostic_text
    from rtfs.host.checks.verdicts import verdicts
    from rtfs.host.files import read_source

    session.bind()
    path = os.path.expanduser(argument.strip('"'))
    source = read_source(path) if os.path.isfile(path) else session.source(argument)
    found = verdicts(session.runtime, source)
    parts = [diagnostic_text(one, session.color) for one in found.analysis.diagnostics]
    session.say("\n".join([*(parts or ["nothing is wrong"]), *told(found, policy=True)]))


@command("ast", "PROGRAM", "What the compiler makes of a program; nothing is run.")
def ast(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("ast")
    from rtfs.repl.tree import ast_text
    from rtfs.syntax.diagnostics import clean

    session.bind()
    session.say(clean(ast_text(session.source(argument), session.runtime.environment)))


@command("expand", "FORM", "What a macro call turns into.")
def expand(session: Session, argument: str) -> None:
    if not argument:
        raise usage_error("expand")
    from rtfs.repl.names import USER
    from rtfs.repl.show import show
    from rtfs.syntax.reader import read_value

    form = session.runtime.environment.macroexpand(USER, read_value(session.source(argument)))
    text = show(form, items=0, width=session.settings.columns())
    if session.color:
        from rtfs.repl.paint import paint

        text = paint(text, session.names)
    session.say(text)


def described(found: Description, columns: int) -> str:
    """A description over several lines, its text broken at words. columns: of the terminal."""
    from rtfs.syntax.diagnostics import clean

    lines = [*(found.shapes or [found.name])]
    if found.doc:
        lines += [f"  {line}" for line in wrapped(found.doc, columns - 2)]
    lines.append(f"  {found.kind}" + (f", also {' '.join(found.aliases)}" if found.aliases else ""))
    lines += [f"  {expression}  ;=> {printed}" for expression, printed in found.examples]
    if found.span is not None and not found.span.source.name.startswith("stdlib/"):
        lines.append(f"  defined at {found.span}")
    return clean("\n".join(lines))


def unknown(session: Session, name: str) -> HostError:
    """The error of a name that nothing is known of."""
    from rtfs.syntax.suggest import did_you_mean

    near = did_you_mean(name, (*session.names.symbols(), *session.names.capability_ids()))
    hint = f"did you mean `{near}`?" if near else f"`:apropos {name}` looks for it everywhere"
    return HostError(f"nothing is known of `{name}`", code="undefined", hint=hint)
