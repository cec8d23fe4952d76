"""The public manifest: both views of the metadata, built only when looked at."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rtfs


def test_a_manifest_has_both_views_of_the_metadata() -> None:
    with rtfs.Runtime() as rt:
        rt.register(
            "a", lambda: 1, description="d", metadata={"zz": {"requires_session": "false", "n": 1}}, idempotent=True
        )
        manifest = rt.capabilities["a"]
    assert manifest.id == "a"
    assert manifest.metadata == {"zz": {"requires_session": "false", "n": 1}}
    assert manifest.flat_metadata == {"zz_requires_session": "false", "zz_n": 1}
    assert manifest.idempotent is True
    assert manifest.origin == "embedder"


def test_schemas_may_be_text_or_data() -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda x: x, input_schema="{:n :int}", output_schema={"n": ":int"})
        manifest = rt.capabilities["a"]
        assert rtfs.to_text(manifest.input_schema) == "{:n :int}" == rtfs.to_text(manifest.output_schema)
        with pytest.raises(rtfs.UserError) as caught:
            rt.call("a", {"n": "x"})
    assert caught.value.code == "type/mismatch"


def test_a_manifest_cannot_be_changed() -> None:
    with rtfs.Runtime() as rt, pytest.raises(Exception, match="frozen"):
        rt.capabilities["ccos.io.println"].description = "x"


def test_capabilities_are_a_mapping() -> None:
    with rtfs.Runtime() as rt:
        assert "ccos.io.println" in rt.capabilities
        assert "nope" not in rt.capabilities
        assert rt.capabilities.get("nope") is None
        assert list(rt.capabilities) == sorted(rt.capabilities.keys())
        with pytest.raises(KeyError):
            rt.capabilities["nope"]


def test_calls_of_python_capabilities_import_nothing_heavy() -> None:
    program = (
        "import sys, rtfs\n"
        "rt = rtfs.Runtime()\n"
        "rt.register('a', lambda x: x)\n"
        "rt.call('a', 1); rt.call('ccos.state.kv.put', 'k', 1); rt.close()\n"
        "print([m for m in ('pydantic', 'asyncio', 'httpx', 'lark', 're', 'json', 'inspect', 'logging', 'dataclasses',"
        " 'typing', 'enum', 'threading') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, env=_env()
    )
    assert found.stdout.strip() == "[]"


def _env() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
