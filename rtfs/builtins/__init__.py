"""The pure standard functions, by topic.

Importing this package declares them all. Must not know effects, the compiler or the machine. Invariant: `CORE` maps
every name and alias to its function, a plain Python function that bears its RTFS name.
"""

from __future__ import annotations

from rtfs.builtins import (  # noqa: F401 - importing a module declares its functions
    bits,
    building,
    comparison,
    conversions,
    errors,
    formatting,
    functions,
    grouping,
    higher_order,
    json,
    lazy_sources,
    maps,
    mathematics,
    names,
    number_predicates,
    numbers,
    predicates,
    printing,
    reducing,
    regex,
    results,
    searching,
    sequences,
    sets,
    slicing,
    sorting,
    strings,
    transients,
)
from rtfs.builtins.declare import FUNCTIONS, REGISTRY, Builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CORE: dict[str, Callable[..., Any]] = FUNCTIONS
"""Every standard name to its function."""

__all__ = ["CORE", "REGISTRY", "Builtin"]
