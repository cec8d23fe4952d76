"""`rtfs.analyse`, `rtfs.check`, `rtfs.fix` and `rtfs.describe`: programs and declarations looked at without being run.

Must not run anything of a program.
"""

from __future__ import annotations

from rtfs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from rtfs.checker.diagnostics import Diagnostic
    from rtfs.checker.report import Analysis
    from rtfs.host.checks.verdicts import Report
    from rtfs.host.describe import Description
    from rtfs.host.runtime import Runtime

    T = TypeVar("T")


def analyse(source: str | Source, name: str = "<string>", runtime: Runtime | None = None) -> Analysis:
    """Everything that is known of a program before it runs: diagnostics, calls, effects, types.

    source    the text
    name      of the text, in messages
    runtime   whose definitions, declarations and modules the program sees; None: those that every runtime has

    Never raises for what the program contains, and runs nothing of it.
    """
    from rtfs.host.checks.verdicts import analysed

    return _look(analysed, source, name, runtime)


def check(source: str | Source, name: str = "<string>", runtime: Runtime | None = None) -> Report:
    """The errors of a program, and the decision of the runtime's policy about each call that it can make, as `rtfs
    check --policy` shows them. Arguments as for `analyse`."""
    from rtfs.host.checks.verdicts import verdicts

    return _look(verdicts, source, name, runtime)


MOST_ROUNDS = 20
"""A fix may bring another mistake to light; so often a text is looked at again."""


class Fixed:
    """text: with the fixes made. made: the diagnostics whose fixes were, in the order in which they were made.
    analysis: of the fixed text."""

    __slots__ = ("analysis", "made", "text")

    def __init__(self, text: str, made: list[Diagnostic], analysis: Analysis) -> None:
        self.text = text
        self.made = made
        self.analysis = analysis


def fix(source: str | Source, name: str = "<string>", runtime: Runtime | None = None) -> Fixed:
    """A program with the fixes made that are certain, as `rtfs fix` makes them. Arguments as of `analyse`."""
    return _look(fixed, source, name, runtime)


def fixed(runtime: Runtime, source: Source) -> Fixed:
    """`fix` under the declarations of a runtime."""
    from rtfs.checker.fixes import apply
    from rtfs.host.checks.verdicts import analysed

    made: list[Diagnostic] = []
    for _ in range(MOST_ROUNDS):
        analysis = analysed(runtime, source)
        text, now = apply(source.text, analysis.diagnostics)
        if text == source.text:
            break
        made += now
        source = Source(text, source.name)
    return Fixed(source.text, made, analysed(runtime, source))


def describe(*ids: str, runtime: Runtime | None = None) -> list[Description]:
    """Describe capabilities for writing calls: signature, parameters, result, effects. ids: of those to describe, in
    which `*` and `?` match any characters; without ids, all that the runtime has. Raises HostError
    `capability/unknown`."""
    from rtfs.host.describe import describe_capabilities

    if runtime is not None:
        return describe_capabilities(runtime, ids)
    from rtfs.host.runtime import Runtime

    with Runtime() as plain:
        return describe_capabilities(plain, ids)


def certify(source: str | Source, key: str, name: str = "<string>", runtime: Runtime | None = None) -> dict[str, Any]:
    """A signed certificate of a program: its text, all that it loads, the declarations of what it calls, the policy.
    key: file of a private Ed25519 key. Raises the first error of the program, HostError `certificate/impossible`."""
    from rtfs.host.checks.certificates import certify

    return _look(lambda runtime, text: certify(runtime, text, key), source, name, runtime)


def verify_certificate(
    certificate: dict[str, Any],
    source: str | Source,
    keys: Iterable[str] = (),
    name: str = "<string>",
    runtime: Runtime | None = None,
) -> None:
    """Accept a program that is still what a certificate says. keys: files of public keys, besides the runtime's
    `certificate_keys`. Raises HostError `certificate/untrusted`, or `certificate/changed` with what changed."""
    from rtfs.host.checks.certificates import accept

    _look(
        lambda runtime, text: accept(runtime, text, certificate, [*runtime.options.certificate_keys, *keys]),
        source,
        name,
        runtime,
    )


def _look(how: Callable[[Runtime, Source], T], source: str | Source, name: str, runtime: Runtime | None) -> T:
    """Look at a program in the given runtime, or in a new one."""
    text = Source(source, name) if isinstance(source, str) else source
    if runtime is not None:
        return how(runtime, text)
    from rtfs.host.runtime import Runtime

    with Runtime() as plain:
        return how(plain, text)
