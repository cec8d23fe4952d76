"""What is allowed, what is denied, and what the denial says."""

from __future__ import annotations

import time
from typing import Any

import pytest

import rtfs
from rtfs.host.policy.policy import Decision, declared_needs

SESSION = {"metadata": {"zz": {"requires_session": "auto"}}}


def code_of(rt: rtfs.Runtime, id: str, *arguments: Any) -> str:
    try:
        rt.call(id, *arguments)
    except rtfs.UserError as error:
        return error.code
    return "ok"


def decisions(rt: rtfs.Runtime) -> list[str]:
    return [record.detail for record in rt.ledger if record.kind == "decision"]


def test_what_stays_in_the_process_is_allowed() -> None:
    with rtfs.Runtime() as rt:
        rt.register("mine", lambda: 1)
        for id, arguments in [("mine", ()), ("ccos.state.kv.put", ("k", 1)), ("ccos.system.current-timestamp-ms", ())]:
            assert code_of(rt, id, *arguments) == "ok"


@pytest.mark.parametrize(
    ("id", "arguments", "grant"),
    [
        ("ccos.io.read-file", ["/etc/hostname"], "fs:read:/etc/hostname"),
        ("ccos.io.file-exists", ["/etc/hostname"], "fs:read:/etc/hostname"),
        ("ccos.io.write-file", ["/tmp/rtfs-x", "text"], "fs:write:/tmp/rtfs-x"),
        ("ccos.io.delete-file", ["/tmp/rtfs-x"], "fs:write:/tmp/rtfs-x"),
        ("ccos.system.get-env", ["HOME"], "env:HOME"),
        ("ccos.network.http-fetch", ["https://example.com/x"], "net:example.com"),
        ("ccos.network.http-fetch", [{"url": "http://example.com:8080"}], "net:example.com:8080"),
    ],
)
def test_what_leaves_the_process_is_denied_and_the_denial_names_the_grant(
    id: str, arguments: list[Any], grant: str
) -> None:
    with rtfs.Runtime() as rt:
        with pytest.raises(rtfs.HostError) as caught:
            rt.call(id, *arguments)
        assert caught.value.code == "policy/denied"
        assert caught.value.hint == f'allow it with Runtime(allow=["{grant}"])'
        assert caught.value.capability == id


def test_the_named_grant_allows_it() -> None:
    with rtfs.Runtime(allow=["fs:read:/etc/hostname", "env:HOME"]) as rt:
        assert code_of(rt, "ccos.io.read-file", "/etc/hostname") == "ok"
        assert code_of(rt, "ccos.system.get-env", "HOME") == "ok"


def test_a_grant_for_the_id_is_none_for_the_resource() -> None:
    with rtfs.Runtime(allow=["ccos.*", "*"]) as rt:
        assert code_of(rt, "ccos.io.read-file", "/etc/hostname") == "policy/denied"


def test_arguments_that_cannot_be_decided_about_are_wrong_arguments() -> None:
    with rtfs.Runtime(allow=["fs:read:/"]) as rt:
        assert code_of(rt, "ccos.io.read-file", 5) == "type/mismatch"
        assert code_of(rt, "ccos.io.read-file") == "arity"
        assert code_of(rt, "ccos.network.http-fetch", "nonsense") == "argument/url"
        assert all(text.startswith("deny: ") for text in decisions(rt))


def test_no_policy_is_a_denial() -> None:
    with rtfs.Runtime() as rt:
        rt.register("mine", lambda: 1)
        rt._pipeline.policy = None
        assert code_of(rt, "mine") == "policy/denied"
        assert decisions(rt) == ["deny: there is no policy"]


def test_a_built_in_policy_that_crashes_is_a_denial() -> None:
    def broken(*_: Any) -> Decision:
        raise RuntimeError("oops")

    with rtfs.Runtime() as rt:
        rt.register("mine", lambda: 1)
        rt._pipeline.policy = broken
        assert code_of(rt, "mine") == "policy/denied"


@pytest.mark.parametrize(
    ("answer", "code"),
    [(True, "ok"), (False, "policy/denied"), (None, "ok"), ("yes", "policy/denied"), (1, "policy/denied")],
)
def test_an_embedders_policy_decides(answer: Any, code: str) -> None:
    with rtfs.Runtime(policy=lambda request: answer) as rt:
        rt.register("mine", lambda: 1)
        assert code_of(rt, "mine") == code


def test_it_sees_the_call_and_the_built_in_answer() -> None:
    seen: list[Any] = []

    def ask(request: rtfs.PolicyRequest) -> Any:
        seen.append((request.capability, request.arguments, request.needs, request.decision.allow))
        assert request.manifest.id == request.capability
        assert request.context.principal == "local"
        return Decision(request.arguments != (2,), "not two")

    with rtfs.Runtime(policy=ask) as rt:
        rt.register("mine", lambda n: n)
        assert code_of(rt, "mine", 1) == "ok"
        assert code_of(rt, "mine", 2) == "policy/denied"
        assert code_of(rt, "ccos.system.get-env", "X") == "ok"
    assert seen == [
        ("mine", (1,), [], True),
        ("mine", (2,), [], True),
        ("ccos.system.get-env", (rtfs.Map({rtfs.Keyword("name"): "X"}),), ["env:X"], False),
    ]


def test_a_crashing_policy_denies_and_it_is_recorded() -> None:
    def broken(request: Any) -> Any:
        raise ValueError("secret detail")

    with rtfs.Runtime(policy=broken) as rt:
        rt.register("mine", lambda: 1)
        assert code_of(rt, "mine") == "policy/denied"
        assert decisions(rt) == ["deny: the policy failed: ValueError"]


def test_a_slow_policy_denies_and_is_given_up() -> None:
    with rtfs.Runtime(policy=lambda request: time.sleep(0.5), policy_seconds=0.02) as rt:
        rt.register("mine", lambda: 1)
        started = time.monotonic()
        assert code_of(rt, "mine") == "policy/denied"
        assert code_of(rt, "mine") == "policy/denied"
        assert time.monotonic() - started < 0.4
        assert decisions(rt)[0] == "deny: the policy did not answer within 20 ms"


def test_paranoid_asks_for_a_grant_for_everything() -> None:
    with rtfs.Runtime(level="paranoid", allow=["mine"]) as rt:
        rt.register("mine", lambda: 1)
        rt.register("other", lambda: 1)
        assert code_of(rt, "mine") == "ok"
        assert code_of(rt, "other") == "policy/denied"
        assert code_of(rt, "ccos.io.println", "x") == "policy/denied"


def test_needs_read_from_any_providers_metadata() -> None:
    flat = {
        "zz_url": "https://evil.example/x",
        "zz_auth_env_var": "TOKEN",
        "zz_server_url_override_env": "WHERE",
        "zz_command": "rm",
        "zz_n": 5,
        "discovery_source_url": "https://docs.example/",
    }
    assert declared_needs(flat) == ["net:evil.example:443", "env:TOKEN", "env:WHERE", "exec:rm"]
