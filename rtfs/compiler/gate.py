"""The seam for code that looks at a program between its analysis and its first step.

Knows nothing of what is looked for. Invariant: a unit that a gate refused is neither run nor kept.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from rtfs.compiler.analysis.nodes import Node
    from rtfs.compiler.environment import Environment
    from rtfs.compiler.units.unit import Unit
    from rtfs.source import Source

    class Gate(Protocol):
        """The check that `compile_source` makes before a unit may run."""

        def inspect(self, forms: list[AnalysedForm], environment: Environment, source: Source) -> tuple[Any, ...]:
            """Look at the forms of a text. Returns what to keep with the unit, as data that `marshal` can hold; raises
            UserError to refuse the program."""

        def holds(self, kept: tuple[Any, ...]) -> bool:
            """Whether what was kept still answers for a unit that was looked at before."""


class AnalysedForm:
    """One top-level form. node: its AST, with `nodes.Broken` where an error was collected. module: the module that it
    belongs to. unit: what the places of its nodes index (`unit.span(node.at)`); that of another file for a form of an
    imported module. declared: the nodes in it that define a name of the module or declare a capability."""

    __slots__ = ("declared", "module", "node", "unit")

    def __init__(self, node: Node, module: str, unit: Unit, declared: list[Node]) -> None:
        self.node = node
        self.module = module
        self.unit = unit
        self.declared = declared
