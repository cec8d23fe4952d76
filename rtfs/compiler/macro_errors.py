"""Errors of macros while they expand: what is told of them at the place where the macro is used.

Knows nothing of how a macro runs. Invariant: the macro's user is shown what they wrote; what went wrong within the
macro is a note.
"""

from __future__ import annotations

from rtfs.compiler.units.unit import STANDARD
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.module import Macro

_TAKES = "`fn` takes "
_PARAMETERS = "the function takes ["


def expansion_error(macro: Macro, error: UserError) -> CompileError:
    """The error of a use of `macro` whose expansion failed with `error`; its place is still to be set."""
    name, message, hint = macro.name, error.message, error.hint
    called = error.code == "arity" and error.span is None and message.startswith(_TAKES)
    if called:
        message = f"`{name}` takes {message.removeprefix(_TAKES)}"
        if hint is not None and hint.startswith(_PARAMETERS):
            hint = f"write ({' '.join((name, hint.removeprefix(_PARAMETERS)[:-1])).strip()})"
    if macro.module.name in STANDARD:
        example = _example(name)
        return CompileError("form/shape", message, hint=hint if example is None else f"for example {example}")
    if called:
        notes = tuple([(f"`{name}` is defined here", span) for _, span in error.notes])
        made = CompileError("macro/expansion", message, hint=hint, notes=notes)
    else:
        notes = ((f"in the macro `{name}`", error.span),) if error.span is not None else ()
        message = f"expanding `{name}` failed: {message}"
        made = CompileError("macro/expansion", message, hint=hint, data=error.data, notes=notes + error.notes)
    return made


def _example(name: str) -> str | None:
    """The shortest of the examples above the definition of a macro of the standard library."""
    from rtfs.syntax.resources import resource_text

    before, found, _ = resource_text("stdlib/core.rtfs").partition(f"\n(defmacro {name}\n")
    if not found:
        return None
    examples: list[str] = []
    for line in reversed(before.split("\n")):
        if not line.startswith(";; ("):
            break
        examples.append(line.removeprefix(";; ").partition(" => ")[0])
    return min((one for one in examples if " " in one), key=len, default=None)
