"""What stdlib/capabilities/*.rtfs declares is what is implemented, and what leaves the process is behind a grant."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from rtfs.capabilities.registry import BRANCHES, NOWHERE, PERSON, Registry
from rtfs.host.bundled.declarations import TOPICS, bundled

FOLDER = Path(rtfs.__file__).resolve().parent.parent / "stdlib" / "capabilities"
PROMISED = {
    "io": ["println", "log", "read-file", "write-file", "file-exists", "delete-file"],
    "system": ["current-time", "current-timestamp-ms", "get-env", "sleep-ms"],
    "network": ["http-fetch"],
    "data": ["parse-json", "serialize-json"],
    "json": ["parse", "stringify", "stringify-pretty"],
    "user": ["ask"],
    "state": ["kv.get", "kv.put", "kv.delete", "kv.assoc", "kv.dissoc", "kv.conj"],
}
REACHING = {
    "ccos.io.read-file": ('"/etc/hostname"', "fs:read:/etc/hostname"),
    "ccos.io.write-file": ('"/etc/rtfs" "x"', "fs:write:/etc/rtfs"),
    "ccos.io.write-bytes": ('"/etc/rtfs" "eA=="', "fs:write:/etc/rtfs"),
    "ccos.io.file-exists": ('"/etc/hostname"', "fs:read:/etc/hostname"),
    "ccos.io.delete-file": ('"/etc/rtfs"', "fs:write:/etc/rtfs"),
    "ccos.system.get-env": ('"HOME"', "env:HOME"),
    "ccos.network.http-fetch": ('"https://example.com/"', "net:example.com"),
}


def entries(rt: rtfs.Runtime) -> Registry:
    return rt._registry


def test_every_file_of_declarations_is_read():
    assert sorted(TOPICS) == sorted(path.stem for path in FOLDER.glob("*.rtfs"))


def test_what_is_declared_is_implemented_and_what_is_implemented_is_declared():
    with rtfs.Runtime() as rt:
        registered = entries(rt).entries
        assert sorted(bundled()) == sorted(registered)
        for id, entry in registered.items():
            assert entry.route != NOWHERE, id
            assert entry.route in (BRANCHES, PERSON) or callable(entry.function), id


def test_what_was_promised_is_there():
    promised = {f"ccos.{topic}.{name}" for topic, names in PROMISED.items() for name in names}
    assert promised | {"ccos.concurrent/parallel"} <= set(bundled())


def test_every_declaration_says_what_it_does_and_which_effect_it_has():
    for id, fields in bundled().items():
        assert fields.description, id
        assert fields.effects or id.startswith(("ccos.data.", "ccos.json.")), id


def test_permissions_are_declared_where_a_grant_is_needed_and_nowhere_else():
    with rtfs.Runtime() as rt:
        reaching = {id for id, entry in entries(rt).entries.items() if entry.needs is not None}
    assert reaching == {id for id, fields in bundled().items() if fields.permissions} == set(REACHING)


@pytest.mark.parametrize("id", REACHING)
@pytest.mark.parametrize("level", ["minimal", "standard", "paranoid"])
def test_nothing_leaves_the_process_without_its_grant(id: str, level: str):
    arguments, grant = REACHING[id]
    with rtfs.Runtime([id], level=level) as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(f'(call "{id}" {arguments})')
        assert (caught.value.code, caught.value.hint) == ("policy/denied", f'allow it with Runtime(allow=["{grant}"])')
    with rtfs.Runtime([grant], level="paranoid") as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(f'(call "{id}" {arguments})')
        assert caught.value.hint == f'allow it with Runtime(allow=["{id}"])'


@pytest.mark.parametrize("id", sorted(set(bundled()) - set(REACHING)))
def test_what_stays_in_the_process_needs_a_grant_at_the_strictest_level_only(id: str):
    with rtfs.Runtime(level="paranoid") as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(f'(call "{id}")')
        assert (caught.value.code, caught.value.hint) == ("policy/denied", f'allow it with Runtime(allow=["{id}"])')
