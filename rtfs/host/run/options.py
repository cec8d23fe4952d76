"""`RunOptions`: every option of a run, checked once; and whatever else callers hand to a `Runtime`, brought into the
form that the host works with.

Must not know what is done with it. Invariants: what cannot be used is a HostError that says so, raised where the
options are made; options never change afterwards.
"""

from __future__ import annotations

from rtfs.host.policy.grants import Grants
from rtfs.values import HostError, Keyword, Map, from_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Any, Protocol, Self, TypedDict

    from rtfs.machine import Limits

    class Writer(Protocol):
        """A text stream, as far as output needs one."""

        def write(self, text: str, /) -> object:
            """Take some text."""

    Output = Callable[[str], object] | Writer

    class RunKeywords(TypedDict, total=False):
        """The keywords of `RunOptions`, as `run`, `arun` and others take them."""

        context: Mapping[str, Any] | None
        params: Mapping[str, Any] | Map | None
        principal: str | None
        limits: Limits | Mapping[str, Any] | None
        timeout: float | None
        allow: Iterable[str] | None
        name: str
        run_id: str | None
        check: bool
        keep: bool | None
        durable: bool
        record: str | Path | None
        replay: str | Path | None
        incremental: bool
        author: str
        inputs: str | None
        output: Output | None

    class ResumeKeywords(TypedDict, total=False):
        """The keywords of `ResumeOptions`, as `resume` and `aresume` take them."""

        retry: bool
        assume_failed: bool
        result: Any
        call: str | None
        accept_changes: bool
        limits: Limits | Mapping[str, Any] | None
        timeout: float | None
        allow: Iterable[str] | Grants | None


class Options:
    """A value object: the attributes are the keywords that it was made with, in the form that the host works with."""

    __slots__: tuple[str, ...] = ()

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed: use replace({name}=…)")

    def replace(self, **changes: Any) -> Self:
        """The same options, but for these."""
        return type(self)(**({name: getattr(self, name) for name in self.__slots__} | changes))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class RunOptions(Options):
    """Everything that a run can be told. Raises HostError `config/limits`, `config/grant`, `argument/invalid`.

    context      values for `@name` in this run, beside the runtime's; converted
    params       parameters of the program's `plan`, by name; converted as JSON from a server is; None: none are given
    principal    whose sessions it uses; None: the runtime's
    limits       of the machine: `Limits` or a mapping of its fields; None: the runtime's
    timeout      seconds that it may take, beside the limits
    allow        grants: narrows the runtime's to what both grant; None: the runtime's
    name         of the source, in messages
    run_id       its id in ledger and journal; None: a random one
    check        refuse a program that is provably wrong before its first effect
    keep         whether its definitions stay for the next run; None: those of `run` do, those of `arun` do not
    durable      it is journaled, so that it can be resumed when it was killed
    record       write its calls to this file (`rtfs.host.durable.recording`)
    replay       answer its calls from this file
    output       takes the text that it prints and logs: a function of the text, or an object with `write`; None: the
                 runtime's, which is standard output and error
    incremental  a later run may define names that this one uses, as at a prompt
    author       `plan` or `model`: who wrote the constants in the text, for flow rules; a model may have read what
                 tools answered before it wrote them
    inputs       `input` or `model`: who gave context and parameters, for flow rules; None: a model if it is the author
    """

    __slots__ = (
        "allow",
        "author",
        "check",
        "context",
        "durable",
        "incremental",
        "inputs",
        "keep",
        "limits",
        "name",
        "output",
        "params",
        "principal",
        "record",
        "replay",
        "run_id",
        "timeout",
    )

    context: dict[str, Any]
    params: Map | None
    principal: str | None
    limits: Limits | None
    timeout: float | None
    allow: Grants | None
    name: str
    run_id: str | None
    check: bool
    keep: bool | None
    durable: bool
    record: str | None
    replay: str | None
    incremental: bool
    author: str
    inputs: str
    output: Callable[[str], object] | None

    def __init__(
        self,
        *,
        context: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | Map | None = None,
        principal: str | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | Grants | None = None,
        name: str = "<string>",
        run_id: str | None = None,
        check: bool = True,
        keep: bool | None = None,
        durable: bool = False,
        record: str | Path | None = None,
        replay: str | Path | None = None,
        incremental: bool = False,
        author: str = "plan",
        inputs: str | None = None,
        output: Output | None = None,
    ) -> None:
        if author not in ("plan", "model"):
            raise HostError(f"the author of a text is plan or model, not {author!r}", code="argument/invalid")
        if inputs not in ("input", "model", None):
            raise HostError(f"inputs are of input or model, not {inputs!r}", code="argument/invalid")
        self._set(
            author=author,
            inputs=inputs or ("model" if author == "model" else "input"),
            context=values_of(context),
            params=params_of(params),
            principal=principal,
            limits=limits_of(limits),
            timeout=seconds_of(timeout),
            allow=grants_of(allow),
            name=name,
            run_id=run_id,
            check=check,
            keep=keep,
            durable=durable,
            record=None if record is None else str(record),
            replay=None if replay is None else str(replay),
            output=output_of(output),
            incremental=incremental,
        )
        if bool(durable) + (record is not None) + (replay is not None) > 1:
            raise HostError("a run is durable, or recorded, or replayed: one of them", code="argument/invalid")

    @property
    def journaled(self) -> bool:
        """Whether its calls are kept somewhere, or answered from there."""
        return self.durable or self.record is not None or self.replay is not None


def run_options(given: RunOptions | Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> RunOptions:
    """The options of a call such as `run(source, given, **keywords)`; a mapping in their place is the context. Raises
    as `RunOptions`."""
    if given is None:
        return RunOptions(**keywords) if keywords else PLAIN
    if isinstance(given, RunOptions):
        return given.replace(**keywords) if keywords else given
    return RunOptions(context=given, **keywords)


class ResumeOptions(Options):
    """The options of `resume`. Raises HostError `argument/invalid`, `config/limits`, `config/grant`.

    retry            make the call whose outcome is unknown again
    assume_failed    have the program get an error from it
    result           have the program get this value from it; converted
    call             which call that is, as the error names it, where there are several
    accept_changes   replay although a file or a version is not what it was
    limits, timeout, allow   as in `RunOptions`
    """

    __slots__ = ("accept_changes", "allow", "assume_failed", "call", "limits", "result", "retry", "timeout")

    retry: bool
    assume_failed: bool
    result: Any
    call: str | None
    accept_changes: bool
    limits: Limits | None
    timeout: float | None
    allow: Grants | None

    def __init__(
        self,
        *,
        retry: bool = False,
        assume_failed: bool = False,
        result: Any = ...,
        call: str | None = None,
        accept_changes: bool = False,
        limits: Limits | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | Grants | None = None,
    ) -> None:
        self._set(
            retry=retry,
            assume_failed=assume_failed,
            result=result if result is ... else value_of(result),
            call=call,
            accept_changes=accept_changes,
            limits=limits_of(limits),
            timeout=seconds_of(timeout),
            allow=grants_of(allow),
        )
        if bool(retry) + bool(assume_failed) + (result is not ...) > 1:
            raise HostError(
                "a call is made again, or taken for failed, or has a result: one of them", code="argument/invalid"
            )


def resume_options(given: ResumeOptions | None, keywords: Mapping[str, Any]) -> ResumeOptions:
    """The options of a call such as `resume(run_id, given, **keywords)`. Raises as `ResumeOptions`."""
    if given is None:
        return ResumeOptions(**keywords)
    return given.replace(**keywords) if keywords else given


def environ(name: str) -> str | None:
    """An environment variable of this process, or None."""
    import os

    return os.environ.get(name)


def limits_of(limits: Limits | Mapping[str, Any] | None) -> Limits | None:
    """Limits given as such or by name. Raises HostError `config/limits`."""
    if limits is None:
        return None
    from rtfs.machine import Limits

    if isinstance(limits, Limits):
        return limits
    known = Limits.__slots__
    for name in limits:
        if name not in known:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(str(name), known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise HostError(f"there is no limit {name!r}", code="config/limits", hint=hint)
    try:
        return Limits(**limits)
    except (TypeError, ValueError) as error:
        raise HostError(str(error), code="config/limits") from None


def within_seconds(limits: Limits | None, seconds: float) -> Limits:
    """Limits with at most so many seconds."""
    from rtfs.machine import DEFAULT_LIMITS, Limits

    shorter = Limits(steps=None, depth=1_000_000_000, seconds=max(seconds, 0.000_001), output=None)
    return (limits or DEFAULT_LIMITS).within(shorter)


def seconds_of(timeout: Any) -> float | None:
    """A number of seconds, or None. Raises HostError `argument/invalid`."""
    if timeout is None or (isinstance(timeout, (int, float)) and timeout.__class__ is not bool and timeout == timeout):
        return timeout
    raise HostError(f"a timeout is a number of seconds, not {timeout!r}", code="argument/invalid")


def output_of(output: Output | None) -> Callable[[str], object] | None:
    """The function that takes what a run prints. Raises HostError `argument/invalid`."""
    write = getattr(output, "write", output)
    if write is None or callable(write):
        return write
    raise HostError(
        f"output is a function of a text, or an object with `write`, not {output!r}", code="argument/invalid"
    )


def grants_of(allow: Iterable[str] | Grants | None) -> Grants | None:
    """Grants given as such or as texts. Raises HostError `config/grant`."""
    return allow if allow is None or isinstance(allow, Grants) else Grants(allow)


def values_of(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Context values by name; keys may be keywords, values are converted. Raises HostError `argument/invalid`."""
    if context is None:
        return {}
    if not hasattr(context, "items"):
        raise HostError(
            f"the context of a run is a mapping, not a {type(context).__name__}",
            code="argument/invalid",
            hint='rt.run(source, {"name": value}), or options as keywords: rt.run(source, timeout=5)',
        )
    return {getattr(key, "name", None) or str(key): value_of(value) for key, value in context.items()}


def params_of(params: Mapping[str, Any] | Map | None) -> Map | None:
    """Parameters by keyword; string keys of dicts in them become keywords where they read as such. Raises HostError
    `argument/invalid`."""
    if params is None or isinstance(params, Map):
        return params
    if not hasattr(params, "items"):
        raise HostError(f"parameters are a mapping, not a {type(params).__name__}", code="argument/invalid")
    try:
        return Map(
            [
                (Keyword(getattr(key, "name", None) or str(key)), from_python(value, True))
                for key, value in params.items()
            ]
        )
    except (TypeError, ValueError) as error:
        raise HostError(str(error), code="argument/invalid") from None


def value_of(value: Any) -> Any:
    """The RTFS value of Python data, with keywords as keys where all keys of a dict read as such. Raises HostError
    `argument/invalid`."""
    try:
        return from_python(value, keywords=True)
    except (TypeError, ValueError) as error:
        raise HostError(str(error), code="argument/invalid") from None


def text_of(values: Mapping[str, Any], name: str) -> str | None:
    """A context value that is a text, or None."""
    value = values.get(name)
    return value if isinstance(value, str) else None


PROCESS = "process"


def isolation_of(given: Any) -> str | None:
    """The isolation of plans: None to run in this process, "process" for a separate one. Raises HostError
    `config/isolation`."""
    if given is None or given == PROCESS:
        return PROCESS if given else None
    raise HostError(f'isolation is "process" or None, not {given!r}', code="config/isolation")


PLAIN = RunOptions()
"""The options of a run that is told nothing."""
