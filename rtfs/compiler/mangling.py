"""The spelling of RTFS names in generated Python, and as ids of capabilities.

Locals end in a blank or carry a number after one; what the compiler provides begins with a blank; both are impossible
in a symbol. A module's names keep their spelling but for the few that Python's compiler treats as its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.values import Keyword

# At the end of the last fixed parameter of a function with a rest parameter, so that an arity error can tell.
REST_MARK = "&"

_RESERVED = frozenset(("None", "True", "False"))


def global_name(name: str) -> str:
    """Key of a module's name in its globals."""
    return name + "\x1f" if name in _RESERVED or name.startswith("__") else name


def plain_name(key: str) -> str:
    """The RTFS name behind a Python name: of a global, or of a local with its number."""
    return key.rstrip("\x1f").split(" ", 1)[0]


def id_of_keyword(keyword: Keyword) -> str:
    """The id that a keyword names: `:ccos.state.kv/get` is ccos.state.kv.get."""
    name: str = keyword.name
    if name.startswith("ccos.") and name != "ccos.concurrent/parallel":
        return name.replace("/", ".")
    return name


def tag_name(key: str) -> str:
    """The global that holds the labels of what the global `key` holds, in code that carries labels."""
    return f" tag of {key}"
