"""`RuntimeOptions`: every option of a `Runtime`, in groups, checked once.

Must not know what is wired from them. Invariants: what cannot be used is a HostError `config/…`, raised where the
options are made; options never change afterwards; nothing heavy is imported by making them.
"""

from __future__ import annotations

from rtfs.host.hint_wording import PYTHON, check_reader
from rtfs.host.policy.context import check_level
from rtfs.host.policy.policy import TIME_LIMIT
from rtfs.host.policy.rules import Rules
from rtfs.host.run.options import Options, grants_of, isolation_of, limits_of, output_of, values_of
from rtfs.host.sqlite import KILL, check_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Any, TypedDict

    from rtfs.capabilities.sessions.limits import PoolLimits
    from rtfs.capabilities.sessions.questions import Question
    from rtfs.capabilities.sessions.sampling import SamplingRequest
    from rtfs.host.audit.ledger import Record
    from rtfs.host.calls.approvals import ApprovalRequest
    from rtfs.host.calls.hints import HintLimits
    from rtfs.host.flow.rules import FlowRules
    from rtfs.host.policy.grants import Grants
    from rtfs.host.policy.policy import PolicyRequest
    from rtfs.host.run.options import Output
    from rtfs.host.sequence.rules import SequenceRules
    from rtfs.machine import Limits

    class RuntimeKeywords(TypedDict, total=False):
        """The keywords of `RuntimeOptions` as `Runtime` takes them, beside `allow`."""

        level: str
        principal: str
        policy: Callable[[PolicyRequest], Any] | None
        policy_seconds: float
        rules: Iterable[Any]
        quotas: Iterable[Mapping[str, Any]]
        flow: Any
        sequence: Any
        max_calls: int | None
        limits: Limits | Mapping[str, Any] | None
        isolation: str | None
        width: int
        hint_limits: HintLimits | None
        context: Mapping[str, Any] | None
        module_path: Iterable[str | Path]
        handlers: Mapping[str, dict[str, Any]] | None
        pool_limits: PoolLimits | None
        ledger: str | Path | None
        ledger_key: str | Path | None
        kv: str | Path | None
        state: str | Path | None
        durability: str
        strict_arguments: bool
        certificate_keys: Iterable[str | Path]
        approve: Callable[[ApprovalRequest], Any] | None
        elicit: Callable[[Question], Any] | None
        sample: Callable[[SamplingRequest], Any] | None
        on_event: Callable[[Record], None] | None
        on_warning: Callable[[str, Any], None] | None
        output: Output | None
        stub: Callable[[str, tuple[Any, ...]], Any] | None
        wording: str


class RuntimeOptions(Options):
    """The options of a `Runtime`. Raises HostError `config/…`.

    Rights:
    allow             grants: `mcp.github.*`, `net:HOST`, `env:NAME`, `fs:read:PATH`, `fs:write:PATH`, `exec:COMMAND`
    level             minimal, standard or paranoid
    principal         whose sessions are used
    policy            asked with a `PolicyRequest` before each call: True, False, a `Decision`, or None (as built in)
    policy_seconds    how long it may take
    rules, quotas     see `rtfs.host.policy.rules`
    flow              flow rules, see `rtfs.host.flow.rules`: a list, or {rules, endorse, me}
    sequence          rules over the history of calls, see `rtfs.host.sequence.rules`
    max_calls         host calls that a run may make
    strict_arguments  whether keys that an input schema does not name are refused
    certificate_keys  files with the public keys of those whose certificates count

    Limits:
    limits            of the machine: `Limits`, or a mapping of its fields
    isolation         "process": plans run in sandboxed worker processes; None: in this one
    width             branches that run at once
    hint_limits       `rtfs.HintLimits`: what hints may ask for

    Language:
    context           values for `@name`, for every run
    module_path       folders where modules are found

    Sessions:
    handlers          name → keyword arguments for a bundled or installed session handler
    pool_limits       `rtfs.sessions.PoolLimits`

    State:
    ledger, kv        files of the ledger and of `ccos.state.kv.*`, or databases (`postgresql://…`); None: in memory
    ledger_key        file with the key of a ledger in a database, made at its first use; None: the usual one
    state             folder of durable runs, or the database that has them: `postgresql://USER@HOST/DATABASE`
    durability        what files survive: `kill` or `power`

    People and programs around it:
    approve           asked with an `ApprovalRequest` where a rule says so: True, False, "always", "run" or None; may be
                      async
    elicit            asked what a server wants to know, see `rtfs.host.calls.questions`; may be async
    sample            answers what servers ask of a language model: a `SamplingRequest` → text or dict; may be async
    on_event          told of each `Record` of the ledger
    on_warning        told of each warning: message and `Span` or None; they are kept in `warnings`, too
    output            takes what runs print and log: a function of the text, or an object with `write`; None: standard
                      output and error
    stub              answers the calls that would leave the process: (id, arguments) → value
    wording           who reads the hints of errors: a `python` program, a person at a `shell`, or a `model`
    """

    __slots__ = (
        "allow",
        "approve",
        "certificate_keys",
        "context",
        "durability",
        "elicit",
        "flow",
        "handlers",
        "hint_limits",
        "isolation",
        "kv",
        "ledger",
        "ledger_key",
        "level",
        "limits",
        "max_calls",
        "module_path",
        "on_event",
        "on_warning",
        "output",
        "policy",
        "policy_seconds",
        "pool_limits",
        "principal",
        "quotas",
        "rules",
        "sample",
        "sequence",
        "state",
        "strict_arguments",
        "stub",
        "width",
        "wording",
    )

    allow: Grants
    level: str
    principal: str
    policy: Callable[[PolicyRequest], Any] | None
    policy_seconds: float
    rules: tuple[Any, ...]
    quotas: tuple[Mapping[str, Any], ...]
    flow: FlowRules | None
    sequence: SequenceRules | None
    max_calls: int | None
    limits: Limits | None
    isolation: str | None
    width: int
    hint_limits: HintLimits | None
    context: dict[str, Any]
    module_path: tuple[str, ...]
    handlers: Mapping[str, dict[str, Any]] | None
    pool_limits: PoolLimits | None
    ledger: str | None
    ledger_key: str | None
    kv: str | None
    state: str | None
    durability: str
    strict_arguments: bool
    certificate_keys: tuple[str, ...]
    approve: Callable[[ApprovalRequest], Any] | None
    elicit: Callable[[Question], Any] | None
    sample: Callable[[SamplingRequest], Any] | None
    on_event: Callable[[Record], None] | None
    on_warning: Callable[[str, Any], None] | None
    output: Callable[[str], object] | None
    stub: Callable[[str, tuple[Any, ...]], Any] | None
    wording: str

    def __init__(
        self,
        *,
        allow: Iterable[str] | Grants = (),
        level: str = "standard",
        principal: str = "local",
        policy: Callable[[PolicyRequest], Any] | None = None,
        policy_seconds: float = TIME_LIMIT,
        rules: Iterable[Any] = (),
        quotas: Iterable[Mapping[str, Any]] = (),
        flow: Any = (),
        sequence: Any = (),
        max_calls: int | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        isolation: str | None = None,
        width: int = 16,
        hint_limits: HintLimits | None = None,
        context: Mapping[str, Any] | None = None,
        module_path: Iterable[str | Path] = (),
        handlers: Mapping[str, dict[str, Any]] | None = None,
        pool_limits: PoolLimits | None = None,
        ledger: str | Path | None = None,
        ledger_key: str | Path | None = None,
        kv: str | Path | None = None,
        state: str | Path | None = None,
        durability: str = KILL,
        strict_arguments: bool = True,
        certificate_keys: Iterable[str | Path] = (),
        approve: Callable[[ApprovalRequest], Any] | None = None,
        elicit: Callable[[Question], Any] | None = None,
        sample: Callable[[SamplingRequest], Any] | None = None,
        on_event: Callable[[Record], None] | None = None,
        on_warning: Callable[[str, Any], None] | None = None,
        output: Output | None = None,
        stub: Callable[[str, tuple[Any, ...]], Any] | None = None,
        wording: str = PYTHON,
    ) -> None:
        self._set(
            allow=grants_of(allow),
            level=check_level(level),
            principal=principal,
            policy=policy,
            policy_seconds=policy_seconds,
            rules=tuple(rules),
            quotas=tuple(quotas),
            flow=flow_of(flow),
            sequence=sequence_of(sequence),
            max_calls=max_calls,
            limits=limits_of(limits),
            isolation=isolation_of(isolation),
            width=width,
            hint_limits=hint_limits,
            context=values_of(context),
            module_path=tuple(str(folder) for folder in module_path),
            handlers=handlers,
            pool_limits=pool_limits,
            ledger=None if ledger is None else str(ledger),
            ledger_key=None if ledger_key is None else str(ledger_key),
            kv=None if kv is None else str(kv),
            state=None if state is None else str(state),
            durability=check_mode(durability),
            strict_arguments=strict_arguments,
            certificate_keys=tuple(str(path) for path in certificate_keys),
            approve=approve,
            elicit=elicit,
            sample=sample,
            on_event=on_event,
            on_warning=on_warning,
            output=output_of(output),
            stub=stub,
            wording=check_reader(wording),
        )
        Rules(self.rules, self.quotas)


def flow_of(flow: Any) -> FlowRules | None:
    """Flow rules given as such, as a list or as a mapping; None for none. Raises HostError `config/invalid`."""
    if flow is None or (isinstance(flow, (list, tuple)) and not flow):
        return None
    from rtfs.host.flow.rules import FlowRules

    return flow if isinstance(flow, FlowRules) else FlowRules(flow)


def sequence_of(sequence: Any) -> SequenceRules | None:
    """Sequence rules given as such or as a list; None for none. Raises HostError `config/invalid`."""
    if sequence is None or (isinstance(sequence, (list, tuple)) and not sequence):
        return None
    from rtfs.host.sequence.rules import SequenceRules

    return sequence if isinstance(sequence, SequenceRules) else SequenceRules(sequence)


def runtime_options(given: RuntimeOptions | None, keywords: Mapping[str, Any]) -> RuntimeOptions:
    """The options of a call such as `Runtime(options=given, **keywords)`. Raises as `RuntimeOptions`."""
    if given is None:
        return RuntimeOptions(**keywords)
    return given.replace(**keywords) if keywords else given
