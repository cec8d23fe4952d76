"""JSON without spaces, for short texts by the thousand, as the pipe to a worker and a journal have them.

Must not know what is written. Invariant: the same text, and the same errors, as `json.dumps` with these separators and
`json.loads`.
"""

from __future__ import annotations

import json
from json import JSONDecoder, JSONEncoder, encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_encoder = JSONEncoder(separators=(",", ":"), check_circular=False)


def _writer() -> Callable[[Any], str]:
    """`JSONEncoder.encode` creates a new C encoder for each text, which takes longer than a short text."""
    try:
        parts = encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, _encoder.default, encoder.encode_basestring_ascii, None, ":", ",", False, False, True
        )
        assert "".join(parts(["a", {"b": 1}], 0)) == '["a",{"b":1}]'
    except (AttributeError, TypeError, AssertionError):  # another Python has another one, or none
        return _encoder.encode

    def write(data: Any) -> str:
        return "".join(parts(data, 0))

    return write


write = _writer()
"""The text of JSON data. Raises TypeError for other data, RecursionError for what is too deep."""
read_from = JSONDecoder().raw_decode
"""The data that a text begins with, and where it ends. Raises JSONDecodeError."""


def read(text: str) -> Any:
    """The data of a text. Raises JSONDecodeError, RecursionError."""
    data, end = read_from(text)
    return data if end == len(text) else json.loads(text)
