"""A top-level form as labelled closures: what is in a unit's step where generated code is otherwise.

Knows nothing of what the form does. Invariant: a form holds no value of any run.
"""

from __future__ import annotations

import rtfs.compiler.labelled.calls
import rtfs.compiler.labelled.loops  # noqa: F401 - importing these modules declares how nodes are made
from rtfs.compiler.labelled.functions import form_function
from rtfs.compiler.labelled.maker import LabelledMaker
from rtfs.compiler.module import FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis import nodes
    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.flow.label import Label


class LabelledForm:
    """One top-level form."""

    __slots__ = ("function",)

    def __init__(self, analyser: Analyser, node: nodes.Node, literal: Label) -> None:
        maker = LabelledMaker(analyser, literal)
        self.function = form_function(maker, node, FORM)

    def bind(self, namespace: dict[str, Any]) -> Any:
        """The form as a function of no arguments, its globals in `namespace`."""
        return self.function.instance([namespace])
