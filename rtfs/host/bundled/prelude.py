"""The language as a runtime offers it: an environment with the prelude (`println`, `read-file` …) in it.

Must not know capabilities. Invariant: prelude functions are found like standard ones, by every module, and a program
may define over them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler import Environment

PRELUDE = "stdlib/prelude.rtfs"


def new_environment(module_path: tuple[str, ...]) -> Environment:
    """A fresh environment. module_path: folders where `import` looks for modules."""
    from rtfs.compiler import compile_source
    from rtfs.compiler.environment import PRELUDE_MODULE
    from rtfs.machine import new_environment, start
    from rtfs.source import Source
    from rtfs.syntax.resources import resource_text

    environment = new_environment(module_path)
    start(compile_source(Source(resource_text(PRELUDE), PRELUDE), environment, module=PRELUDE_MODULE))
    prelude = environment.module(PRELUDE_MODULE)
    for defined in prelude.defined:
        environment.core[defined] = prelude.globals[defined]
    return environment
