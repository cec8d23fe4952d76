"""A top-level form as closures: what is in a unit's step where generated code is otherwise.

Knows nothing of what the form does. Invariant: a form is made once and can be bound to any environment's modules; it
holds no value of any run.
"""

from __future__ import annotations

import rtfs.compiler.closures.calls
import rtfs.compiler.closures.control
import rtfs.compiler.closures.loops  # noqa: F401 - importing these modules declares how nodes are made
from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.functions import form_function
from rtfs.compiler.closures.maker import Maker
from rtfs.compiler.module import FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser


class ColdForm:
    """One top-level form."""

    __slots__ = ("function",)

    def __init__(self, analyser: Analyser, node: nodes.Node) -> None:
        maker = Maker(analyser)
        self.function = form_function(maker, node, FORM)

    def bind(self, namespace: dict[str, Any]) -> Any:
        """The form as a function of no arguments, its globals in `namespace`."""
        return self.function.instance([namespace])
