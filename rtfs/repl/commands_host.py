"""Commands about the host: `:caps :policy :connect :sessions :ledger`."""

from __future__ import annotations

from rtfs.repl.commands import command, usage_error
from rtfs.repl.table import table
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.repl.session import Session


@command("caps", "[ID or TEXT]", "The capabilities, those that a text fits, or all about one.")
def caps(session: Session, argument: str) -> None:
    names = session.names
    wanted = argument.strip('"')
    fields = names.fields(wanted) if wanted else None
    if fields is not None:
        session.say(_about(session, fields))
        return
    rows = []
    for id in names.capability_ids():
        found = names.fields(id)
        text = found.description if found is not None else ""
        if wanted.lower() in id.lower() or wanted.lower() in text.lower():
            rows.append((id, text))
    if not rows:
        raise session.runtime.capabilities.unknown(wanted)
    session.say(table(rows, session.settings.columns()))


def _about(session: Session, fields: Any) -> str:
    from rtfs.host.inspection import decision, origin
    from rtfs.repl.show import show

    width = session.settings.columns() - 10
    rows = [("id", fields.id), ("version", fields.version), ("about", fields.description)]
    for label, schema in (("input", fields.input_schema), ("output", fields.output_schema)):
        if schema is not None:
            rows.append((label, show(schema, items=0, width=width)))
    for label, tags in (("needs", fields.permissions), ("effects", fields.effects)):
        if tags:
            rows.append((label, " ".join(tags)))
    rows += [(key, str(value)) for key, value in fields.flat_metadata.items() if key.endswith(("_url", "_server_name"))]
    answer = decision(session.runtime, fields.id)
    rows += [("from", origin(session.runtime, fields.id)), ("policy", "" if answer is None else answer.text)]
    return table([(label, text) for label, text in rows if text], session.settings.columns())


@command("policy", "[allow GRANT | revoke GRANT | ID]", "Grants and security level; change them; ask about one id.")
def policy(session: Session, argument: str) -> None:
    from rtfs.host import inspection

    runtime = session.runtime
    word, _, rest = argument.partition(" ")
    rest = rest.strip()
    if word in ("allow", "revoke"):
        if not rest:
            raise usage_error("policy")
        if not session.interactive:
            raise HostError(
                "grants are changed by a person at the terminal only",
                code="usage",
                hint="use --allow on the command line",
            )
        if word == "allow":
            inspection.grant(runtime, rest)
        elif not inspection.revoke(runtime, rest):
            raise HostError(f"there is no grant {rest}", code="argument/invalid")
        argument = ""
    if argument:
        answer = inspection.decision(runtime, argument.strip('"'))
        if answer is None:
            raise usage_error("policy")
        grant = f"\nallow it with :policy allow {answer.grant}" if answer.grant and not answer.allow else ""
        session.say(answer.text + grant)
        return
    rights = inspection.rights(runtime)
    rows = [
        ("level", rights["level"]),
        ("principal", rights["principal"]),
        ("grants", "\n".join(rights["grants"]) or "none"),
    ]
    if rights["guarded"]:
        rows.append(("decides", "a policy of the embedding program"))
    session.say(table(rows, session.settings.columns()))


@command("connect", "[SERVER [URL or COMMAND…]]", "The MCP servers; ask one for its tools; name a new one and ask it.")
def connect(session: Session, argument: str) -> None:
    from rtfs.host.servers import ask_server, handler_name

    servers = session.runtime.servers
    name, _, target = argument.partition(" ")
    if not name:
        rows = [
            (one.name, one.target or (one.problem.message if one.problem is not None else ""))
            for one in servers.values()
        ]
        session.say(
            table(rows, session.settings.columns()) if rows else "no server is configured: :connect NAME URL names one"
        )
        return
    if target.strip():
        _name_server(session, name, target.strip())
    elif name not in servers:
        known = ", ".join(servers) or "none"
        raise HostError(
            f"there is no server {name}",
            code="argument/invalid",
            hint=f"known are {known}; :connect NAME URL names one",
        )
    problem = servers[name].problem
    if problem is not None:
        raise problem
    ids = session.perform(lambda: ask_server(session.runtime, name))
    rows = [(id, _description(session, id)) for id in ids]
    session.say(table(rows, session.settings.columns()) if rows else f"{name} has no tools")
    session.note(f"allow calls with :policy allow mcp.{handler_name(name)}.*")


def _name_server(session: Session, name: str, target: str) -> None:
    """Name a server by its address, or by the command that starts it: a person's decision."""
    import shlex

    if not session.interactive:
        raise HostError(
            "servers are named by a person at the terminal only",
            code="usage",
            hint="name it in .mcp.json, or use --mcp-config on the command line",
        )
    if target.startswith(("http://", "https://")):
        session.runtime.add_server(name, url=target)
    else:
        try:
            command, *arguments = shlex.split(target)
        except ValueError as error:
            raise HostError(f"the command does not read: {error}", code="argument/invalid") from None
        session.runtime.add_server(name, command=command, args=arguments)


def _description(session: Session, id: str) -> str:
    fields = session.names.fields(id)
    return "" if fields is None else fields.description.split("\n")[0]


@command("sessions", "", "The sessions with servers, and what went through them.")
def sessions(session: Session, argument: str) -> None:
    from rtfs.cli.report import counted
    from rtfs.host.inspection import session_statistics

    found = session_statistics(session.runtime)
    if found is None or not found["keys"]:
        session.say("no session is open; the first call of a capability that needs one opens it")
        return
    lines = []
    for key in found["keys"]:
        lines.append(f"{key['provider']} {key['key']}: {key['open']} open, {_calls(key['in_flight'])} in flight")
        lines += [f"  {one['session']}  {_calls(one['calls'])}" for one in key["sessions"]]
    session.say("\n".join([*lines, counted(found)]))


def _calls(count: int) -> str:
    return f"{count} call" + ("" if count == 1 else "s")


@command("ledger", "[COUNT]", "The last records of the ledger (20), and whether its chain holds.")
def ledger(session: Session, argument: str) -> None:
    count = 20
    if argument:
        if not argument.isascii() or not argument.isdigit():
            raise usage_error("ledger")
        count = int(argument)
    records = session.runtime.ledger
    rows = []
    for record in list(records)[-count:] if count else []:
        took = f"{record.duration / 1e6:.3f} ms" if record.duration else ""
        what = " ".join(part for part in (record.subject, record.detail, took) if part)
        rows.append((f"{record.seq:>5} {record.kind}", what))
    broken = records.verify()
    text = table(rows, 1 << 40)
    state = "the chain holds" if broken is None else f"THE CHAIN IS BROKEN at record {broken}"
    session.say("\n".join(part for part in (text, f"{len(records)} records, {state}") if part))
