"""Who may register an id, and when again."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.capabilities.declaration import Fields
from rtfs.capabilities.registry import (
    CONFIG,
    EMBEDDER,
    FILE,
    GUEST,
    NOWHERE,
    PLAN,
    SESSION,
    Entry,
    Registry,
    entry_for,
    grows,
)
from rtfs.values import HostError


def entry(id: str, origin: int = PLAN, version: str = "", description: str = "", function: Any = None) -> Entry:
    fields = Fields(id)
    fields.version = version
    fields.description = description
    fields.implementation = function
    return entry_for(fields, origin)


def test_the_same_content_again_keeps_the_earlier_one() -> None:
    registry = Registry()
    first = registry.declare(entry("a", description="d"))
    assert registry.declare(entry("a", description="d")) is first


def test_different_content_is_a_conflict() -> None:
    registry = Registry()
    registry.declare(entry("a", description="one"))
    with pytest.raises(HostError) as caught:
        registry.declare(entry("a", description="two"))
    assert caught.value.code == "capability/conflict"


def test_a_growing_version_of_the_same_source_replaces() -> None:
    registry = Registry()
    registry.declare(entry("a", version="1.9.0"))
    newer = registry.declare(entry("a", version="1.10.0"))
    assert registry.find("a") is newer
    with pytest.raises(HostError, match="different content"):
        registry.declare(entry("a", version="1.9.0"))


@pytest.mark.parametrize("trusted", [FILE, CONFIG, EMBEDDER])
def test_a_plan_never_replaces_what_somebody_else_registered(trusted: int) -> None:
    registry = Registry()
    mine = registry.declare(entry("a", trusted, version="1.0"))
    with pytest.raises(HostError, match="may not replace"):
        registry.declare(entry("a", PLAN, version="9.0"))
    assert registry.find("a") is mine


def test_the_same_content_from_a_plan_keeps_the_trusted_entry() -> None:
    registry = Registry()
    mine = registry.declare(entry("a", FILE, description="d"))
    assert registry.declare(entry("a", PLAN, description="d")) is mine


def test_replace_is_for_those_who_are_trusted_enough() -> None:
    registry = Registry()
    registry.declare(entry("a", EMBEDDER, description="one"))
    newer = registry.declare(entry("a", EMBEDDER, description="two"), replace=True)
    assert registry.find("a") is newer
    with pytest.raises(HostError):
        registry.declare(entry("a", PLAN, description="three"), replace=True)


def test_implementations_made_from_the_same_code_are_the_same() -> None:
    def make(n: int) -> Any:
        return lambda x: x + n

    registry = Registry()
    first = registry.declare(entry("a", function=make(1)))
    assert registry.declare(entry("a", function=make(1))) is first
    with pytest.raises(HostError):
        registry.declare(entry("a", function=make(2)))


def test_how_a_declaration_is_carried_out() -> None:
    fields = Fields("a")
    assert entry_for(fields, PLAN).route == NOWHERE
    fields.implementation = lambda x: x
    assert entry_for(fields, PLAN).route == GUEST
    fields.flat_metadata = {"zz_requires_session": "auto"}
    assert entry_for(fields, PLAN).route == SESSION, "the implementation then documents the wire call"


def test_a_snapshot_keeps_its_own_to_itself() -> None:
    registry = Registry()
    registry.declare(entry("a"))
    inner = registry.snapshot()
    inner.declare(entry("b"))
    assert inner.ids() == ["a", "b"]
    assert registry.ids() == ["a"]
    with pytest.raises(HostError):
        inner.declare(entry("a", description="other"))


def test_an_unknown_id_says_what_was_meant() -> None:
    registry = Registry()
    registry.declare(entry("mcp.github.list_issues"))
    error = registry.unknown("mcp.github.list_isues", None)
    assert error.code == "capability/unknown"
    assert error.hint == 'did you mean "mcp.github.list_issues"?'


@pytest.mark.parametrize(
    ("old", "new", "does"),
    [
        ("1.0.0", "1.0.1", True),
        ("1.9", "1.10", True),
        ("1.0", "1.0.0", False),
        ("1.0.0-rc1", "1.0.0", True),
        ("1.0.0", "1.0.0-rc1", False),
        ("v1", "v2", True),
        ("", "1.0", False),
        ("1.0", "abc", False),
    ],
)
def test_versions_grow_part_by_part(old: str, new: str, does: bool) -> None:
    assert grows(old, new) is does
