"""From forms to Python code objects: expander, analyser, code generation, unit cache.

Knows nothing of running: `Environment` is given a way to call macros.
"""

from __future__ import annotations

from rtfs.compiler.compile import Program, compile_source, compiled_before
from rtfs.compiler.environment import Environment

__all__ = ["Environment", "Program", "compile_source", "compiled_before"]
