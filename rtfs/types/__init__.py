"""Type expressions, their validators, and JSON Schema both ways. Knows the values and the syntax, nothing of the host.

`parse_type(form, resolve)` makes a `Type`; `Type.check(value, what)` gives the value back or raises `type/mismatch`.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.basic import ANY
from rtfs.types.parse import is_base_name, names_type, parse_type
from rtfs.types.record import Field, Record
from rtfs.types.type import Type
from rtfs.types.unions import nilable

__all__ = ["ANY", "Alias", "Field", "Record", "Type", "is_base_name", "names_type", "nilable", "parse_type"]
