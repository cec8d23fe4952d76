"""The gate of a run: a program that is provably wrong is refused before its first effect.

Must not know how the program is run. Invariant: what was looked at before is looked at again only if one of the
capabilities that the program calls is declared otherwise now.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.checker.calls import Capability
    from rtfs.compiler import Environment
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.source import Source


class RunGate:
    """Looks at programs under the declarations of a registry. strict: argument keys that a schema does not name are
    refused."""

    __slots__ = ("registry", "strict")

    def __init__(self, registry: Registry, strict: bool = True) -> None:
        self.registry = registry
        self.strict = strict

    def inspect(self, forms: list[AnalysedForm], environment: Environment, source: Source) -> tuple[Any, ...]:
        """Raises the first error of a program that is provably wrong, with the others as `others`."""
        from rtfs.checker.analysis import check_forms
        from rtfs.checker.report import Analysis

        found = Analysis(source)
        check_forms(found, forms, environment, lambda id: capability_of(self.registry, id, self.strict), detailed=False)
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
        """What the declarations of these capabilities say to the checker."""
        entries = [self.registry.find(id) for id in ids]
        said = ["unknown" if entry is None else entry.schemas for entry in entries]
        return ("strict" if self.strict else "relaxed", *said)


def capability_of(registry: Registry, id: str, strict: bool = True) -> Capability | None:
    """What a registry declares of a capability, for the checker; None where a server has to be asked first."""
    from rtfs.checker.calls import Capability

    entry = registry.find(id)
    if entry is None and registry.offered(id):
        return None
    if entry is None:
        error = registry.unknown(id)
        return Capability(id, known=False, message=error.message, hint=error.hint)
    fields = entry.fields
    arranged = entry.signature is not None
    input = entry.argument_type if strict else fields.input_type
    return Capability(id, None if arranged else input, fields.output_type)
