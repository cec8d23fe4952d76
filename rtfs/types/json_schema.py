"""JSON Schema both ways: `to_json_schema(type)` and `from_json_schema(schema)`. See to_schema.py and from_schema.py."""

from __future__ import annotations

from rtfs.types.from_schema import from_json_schema, type_from_json_schema
from rtfs.types.to_schema import to_json_schema

__all__ = ["from_json_schema", "to_json_schema", "type_from_json_schema"]
