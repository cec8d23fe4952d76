"""A context can only be narrowed."""

from __future__ import annotations

import pytest

from rtfs.host.policy.context import Quota, RuntimeContext
from rtfs.host.policy.grants import Grants
from rtfs.values import HostError, LimitError


def test_every_layer_has_to_allow() -> None:
    context = RuntimeContext(grants=(Grants(["mcp.*", "net:a", "net:b"]),))
    inner = context.narrow(grants=["mcp.github.*", "net:a", "net:c", "env:HOME"])
    assert inner.grants_id("mcp.github.x")
    assert not inner.grants_id("mcp.other.x")
    assert inner.grants_resource("net:a:80")
    assert not inner.grants_resource("net:b:80")
    assert not inner.grants_resource("net:c:80")
    assert not inner.grants_resource("env:HOME")


def test_the_level_only_rises() -> None:
    context = RuntimeContext(level="standard")
    assert context.narrow(level="paranoid").level == "paranoid"
    with pytest.raises(HostError) as caught:
        context.narrow(level="minimal")
    assert caught.value.code == "policy/widening"


def test_a_level_is_one_of_three() -> None:
    with pytest.raises(HostError, match="security level"):
        RuntimeContext(level="lax")


def test_who_it_is_stays() -> None:
    context = RuntimeContext(principal="ann", plan_id="p", intent_id="i", run_id="r", values={"a": 1})
    inner = context.narrow(grants=[])
    assert (inner.principal, inner.plan_id, inner.intent_id, inner.run_id) == ("ann", "p", "i", "r")
    assert inner.values == {"a": 1}


def test_the_quota_is_shared_and_ends() -> None:
    context = RuntimeContext(quota=Quota(2))
    context.spend_call()
    context.narrow(grants=["*"]).spend_call()
    with pytest.raises(LimitError) as caught:
        context.spend_call()
    assert caught.value.code == "limit/calls"
