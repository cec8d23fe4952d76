"""The JSON Schema of `rtfs.yaml`, for editors.

Must not know where it is written to. Invariant: it comes from the models that check the file, so a key is in the schema
exactly if `read_config` knows it.
"""

from __future__ import annotations

from typing import Any

from rtfs.host.config.config import Settings


def settings_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12). What it accepts may still be refused, as a grant that means nothing is."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "rtfs.yaml",
    }
