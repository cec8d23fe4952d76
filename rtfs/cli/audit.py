"""`rtfs audit list|show|verify|sign|export`: what a ledger says, whether it is whole, its signed head for a witness.

Must not know how records are kept. Invariant: nothing is ever written to a ledger here.
"""

from __future__ import annotations

from collections import deque

from rtfs.cli.output import write
from rtfs.cli.usage_errors import Parser, add_action
from rtfs.host.ledgers import ON_CAPABILITIES
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from rtfs.cli.options import Options
    from rtfs.host.audit.ledger import Record

ABOVE = ("run", "step", "branch", "decision")
"""The kinds of records that others belong to."""


def audit(options: Options) -> int:
    """Run a subcommand of `rtfs audit` with the options' `rest`. Raises UserError, SystemExit for usage."""
    from rtfs.host.audit.ledger_stores import records

    found = _parser().parse_args(options.rest)
    options.json, options.debug = bool(found.json), bool(found.debug)
    path, key = (found.file, None) if found.file else _configured(found.config)
    key = found.ledger_key or key
    if found.action == "verify":
        return _verify(path, options.json, found.key, found.head, key)
    if found.action == "sign":
        import json

        from rtfs.host.audit.signing import sign_head

        write(json.dumps(sign_head(path, found.key, key)))
        return 0
    if found.action == "list":
        _list(path, options.json)
        return 0
    chosen = _chosen(records(path, found.run), found)
    for record, depth in chosen:
        write(_json(record) if options.json or found.action == "export" else _line(record, depth))
    return 0


def _chosen(found: Iterable[Record], filters: argparse.Namespace) -> Iterable[tuple[Record, int]]:
    """The records that `--capability`, `--since` and `--last` let through, each with its depth in the tree. Raises
    HostError `usage`, at once, and those of `found` later."""
    from rtfs.cli.timestamps import moment
    from rtfs.host.policy.grants import glob

    since = None if filters.since is None else moment(filters.since, "--since") * 1e9
    pattern, last = filters.capability, filters.last
    if last is not None and not (last.isascii() and last.isdigit() and len(last) <= 18 and int(last)):
        raise HostError(f"--last takes a number of records above 0, not {last!r}", code="usage", hint="--last 20")
    if pattern is not None and not pattern:
        raise HostError("--capability takes an id, or a pattern with *", code="usage", hint="--capability 'mcp.*'")

    def passing() -> Iterator[tuple[Record, int]]:
        depths: dict[int, int] = {}
        for record in found:
            depth = depths.get(record.parent, -1) + 1
            if record.kind in ABOVE:
                depths[record.seq] = depth
            elif record.kind == "end":
                depths.clear()
            if since is not None and record.time < since:
                continue
            if pattern is None or (record.kind in ON_CAPABILITIES and glob(pattern, record.subject)):
                yield record, depth

    return passing() if last is None else deque(passing(), int(last))


def _verify(path: str, as_json: bool, key: str | None, head: str | None, ledger_key: str | None) -> int:
    if (key is None) is not (head is None):
        raise HostError("a signed head is checked with --head FILE and --key FILE together", code="usage")
    signed = 0
    if key is not None and head is not None:
        from rtfs.host.audit.signing import check_head, read_statement

        signed = check_head(path, key, read_statement(head))
    from rtfs.host.audit.ledger_stores import inspect, named, records

    wrong = inspect(path, ledger_key)
    if wrong is not None:
        raise HostError(f"the ledger {named(path)} is not what was written: {wrong}", code="ledger/damaged")
    count = sum(1 for _ in records(path))
    if as_json:
        import json

        fields = {"ledger": named(path), "records": count, "whole": True}
        write(json.dumps(fields if head is None else {**fields, "signed": signed}))
    else:
        write(f"{named(path)}: {count:,} records, nothing was changed, removed or inserted")
        if head is not None:
            write(f"the first {signed:,} are those that were signed")
    return 0


def _configured(config: str | None) -> tuple[str, str | None]:
    """The ledger of a configuration, and the file with its key."""
    if config is not None:
        from rtfs.host.config.config import read_config

        known = read_config(config)
        place = known.place_of_ledger()
        if place is not None:
            return place, known.place_of_key()
    raise HostError("name a ledger: its file, or --config FILE with a `ledger` in it", code="usage")


def _list(path: str, as_json: bool) -> None:
    """Print the runs of a ledger."""
    from rtfs.cli.timestamps import shown
    from rtfs.host.audit.ledger_stores import runs
    from rtfs.syntax.diagnostics import clean

    for one in runs(path):
        if as_json:
            import json

            write(json.dumps({name: getattr(one, name) for name in one.__slots__}, ensure_ascii=False))
            continue
        count = f"{one.records:,} record{'' if one.records == 1 else 's'}"
        fields = [f"{one.run or '-':<14} {shown(one.began / 1e9)}  {count:<12}", one.principal, one.name, one.end]
        write(clean(" ".join(field for field in fields if field)).replace("\n", " "))


def _line(record: Record, depth: int) -> str:
    from rtfs.cli.timestamps import shown
    from rtfs.syntax.diagnostics import clean

    when = shown(record.time / 1e9)
    took = f"{record.duration / 1e6:.3f} ms" if record.duration else ""
    run = f"[{record.run}]" if record.kind in ("run", "resume") else ""
    parts = [f"{record.seq:>6} {when} {'  ' * min(depth, 20)}{record.kind}", record.subject, record.detail, run, took]
    return clean(" ".join(part for part in parts if part)).replace("\n", " ")


def _json(record: Record) -> str:
    import json

    from rtfs.host.audit.ledger import FIELDS

    fields = {name: getattr(record, name) for name in (*FIELDS, "previous", "hash")}
    return json.dumps(fields, ensure_ascii=False)


def _parser() -> Parser:
    parser = Parser(prog="rtfs audit", description="Inspect a ledger: runs, decisions, outcomes.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    shared = Parser(add_help=False)
    shared.add_argument(
        "file", nargs="?", metavar="FILE", help="the ledger, a file or postgresql://…; default: from the configuration"
    )
    shared.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    shared.add_argument(
        "--ledger-key", metavar="FILE", help="the key of a ledger in a database; default: the usual one"
    )
    shared.add_argument("--json", action="store_true", help="print JSON, one record per line")
    shared.add_argument("--debug", action="store_true", help="show Python tracebacks")
    for name, what in (("show", "show the records as a tree"), ("export", "print all fields as JSON Lines")):
        one = add_action(actions, name, what, shared)
        one.add_argument("--run", metavar="RUN", help="only the records of one run")
        one.add_argument("--capability", metavar="GLOB", help="only records about these capabilities: 'mcp.github.*'")
        one.add_argument(
            "--since", metavar="TIME", help="only records since a time (ISO 8601), or from the last 2h, 7d …"
        )
        one.add_argument("--last", metavar="N", help="only the last N records")
    add_action(actions, "list", "list the runs: when each began, its number of records, how it ended", shared)
    verify = add_action(actions, "verify", "check that no record was changed, removed, inserted or cut off", shared)
    verify.add_argument("--head", metavar="FILE", help="a signed head that must be part of the ledger")
    verify.add_argument("--key", metavar="FILE", help="the public Ed25519 key (PEM) that verifies its signature")
    sign = add_action(actions, "sign", "print a signed head of the ledger, to keep elsewhere", shared)
    sign.add_argument("--key", metavar="FILE", required=True, help="a private Ed25519 key (PEM)")
    return parser
