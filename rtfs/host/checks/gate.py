"""The gate of a run: a program that is provably wrong is refused before its first effect.

Must not know how the program is run. Invariant: what was looked at before is looked at again only if one of the
capabilities that the program calls is declared otherwise now.
"""

from __future__ import annotations

from rtfs.deferred import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.checker import analysis
    from rtfs.checker.capability_calls import Capability
    from rtfs.compiler import Environment
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.source import Source
else:  # what was looked at before is not looked at again
    analysis = Deferred("rtfs.checker.analysis")


class RunGate:
    """Looks at programs."""

    __slots__ = ()

    if TYPE_CHECKING:

        def declared(self, id: str) -> Capability | None:
            """The declaration of a capability, for the checker."""

        def said(self, id: str) -> str:
            """The same as text, by which a changed declaration is known."""

    def inspect(self, forms: list[AnalysedForm], environment: Environment, source: Source) -> tuple[Any, ...]:
        """Raises the first error of a program that is provably wrong, with the others as `others`."""
        found = analysis.check_run(forms, environment, source, self.declared)
        error = found.error()
        if error is not None:
            if error.code == "type/not-callable":
                from rtfs.machine.errors.refine import refine_error

                refine_error(error)
            raise error
        ids = found.effects
        return tuple(ids), self._state(ids)

    def holds(self, kept: tuple[Any, ...]) -> bool:
        ids, state = kept
        return bool(state == self._state(ids))

    def _state(self, ids: Any) -> tuple[str, ...]:
        """The state of these capabilities' declarations, as far as the checker uses them."""
        return tuple([self.said(id) for id in ids])


class RegistryGate(RunGate):
    """The gate of runs under the declarations of a registry. strict: argument keys that a schema does not name are
    refused."""

    __slots__ = ("_registry", "_strict")

    def __init__(self, registry: Registry, strict: bool) -> None:
        self._registry = registry
        self._strict = strict

    def declared(self, id: str) -> Capability | None:
        return capability_of(self._registry, id, self._strict)

    def said(self, id: str) -> str:
        return said_of(self._registry, id, self._strict)


def said_of(registry: Registry, id: str, strict: bool) -> str:
    """A registry's declaration of a capability, as text."""
    entry = registry.find(id)
    return f"{'strict' if strict else 'relaxed'} {'unknown' if entry is None else entry.schemas}"


def capability_of(registry: Registry, id: str, strict: bool = True) -> Capability | None:
    """A registry's declaration of a capability, for the checker; None if only its server can describe it."""
    entry = registry.find(id)
    if entry is not None and strict in entry.checked:
        return entry.checked[strict]  # type: ignore[no-any-return]
    from rtfs.checker.capability_calls import Capability

    if entry is None and registry.offered(id):
        return None
    if entry is None:
        error = registry.unknown(id)
        return Capability(id, known=False, message=error.message, hint=error.hint)
    fields = entry.fields
    signature = entry.signature
    input = entry.argument_type if strict else fields.input_type
    names = None if signature is None else signature.names[: signature.positional]
    if signature is not None and not signature.map_names:
        input = names = None
    found = entry.checked[strict] = Capability(id, input, fields.output_type, names=names)
    return found
