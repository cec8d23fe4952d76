"""Values as the console shows them: known secrets left out, and what is named like one; cut to a length.

Must not know pages. Invariant: what is left out is said.
"""

from __future__ import annotations

import os
import re

from rtfs.host.redaction import MASK, know, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONG = 2_000
"""Characters of one value."""
_NAMES = r"(?:password|passwd|secret|token|api[_-]?key|authori[sz]ation|credential|private[_-]?key|cookie)"
_PAIR = re.compile(
    rf"""((?: :[\w.*+!?/-]*{_NAMES}[\w.*+!?/-]* | "[^"\\]*{_NAMES}[^"\\]*" )\s+)("(?:[^"\\]|\\.)*")""",
    re.VERBOSE | re.IGNORECASE,
)
_NAMED = re.compile(_NAMES, re.IGNORECASE)


def shown(text: str, most: int | None = LONG) -> str:
    """RTFS text of values as people may see it. most: characters; None for all."""
    text = _PAIR.sub(lambda found: f'{found[1]}"{MASK}"', redact(text))
    if most is None or len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} …{len(text) - 2 * half:,} characters left out… {text[-half:]}"


def know_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Keep the values of environment variables that are named like secrets out of all texts: those that servers get
    are known once a call needs them, and the console looks at calls that other processes made."""
    for name, value in environ.items():
        if _NAMED.search(name) and len(value) >= 8:
            know(value)
