"""Serving over Streamable HTTP: with the official client, and with requests that no client should send."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.serve.clients import ERAS, QuietHandler, answering, environment, told

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip


@contextmanager
def listening(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a server that was started in a folder."""
    with started(folder, *arguments) as (url, _):
        yield url


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[str, int]]:
    """The address of a server that was started in a folder, and its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--http", "127.0.0.1:0", *arguments],
        cwd=folder, env=environment(folder), text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.stderr.read()
        yield found[0], process.pid
    finally:
        process.terminate()
        said = process.communicate(timeout=30)[1]
        assert "Traceback" not in said, said


@pytest.mark.parametrize("era", ERAS)
def test_plans_run_over_http(tmp_path: Path, era: str) -> None:
    async def main(url: str) -> None:
        async with Client(url, mode=era) as one, Client(url, mode=era) as other:
            assert (await told(one, "run_plan", plan='(kv/put "n" 5)'))["value"] == 5
            plans = [f'(+ {n} (kv/get "n"))' for n in range(30)]
            found = await asyncio.gather(
                *(told(client, "run_plan", plan=plan) for plan in plans for client in (one, other))
            )
            assert [data["value"] for data in found] == [n + 5 for n in range(30) for _ in range(2)]

    with listening(tmp_path) as url:
        asyncio.run(main(url))


def test_plans_run_apart_from_the_server_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    async def main(url: str, server: int) -> int:
        async with Client(url, mode="legacy") as client:
            assert (await told(client, "run_plan", plan='(kv/put "n" 5) (inc (kv/get "n"))'))["value"] == 6
            listed = subprocess.run(["ps", "-eo", "ppid"], capture_output=True, text=True, check=True).stdout
            return listed.split().count(str(server))

    with started(tmp_path, "--no-isolate") as found:
        assert asyncio.run(main(*found)) == 0
    with started(tmp_path) as found:
        assert asyncio.run(main(*found)) > 0


def test_requests_that_no_client_should_send_are_refused(tmp_path: Path) -> None:
    with listening(tmp_path) as url, httpx.Client(headers=HEADERS, timeout=30) as client:
        assert client.get(url.replace("/mcp", "/healthz")).text == "ok\n"
        assert client.post(url, json=HELLO).status_code == 200
        assert client.post(url, json=HELLO, headers={"Host": "evil.example"}).status_code == 421
        assert client.post(url, json=HELLO, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.post(url, json=HELLO, headers={"Origin": "http://localhost:3000"}).status_code == 200
        assert client.post(url, content=b"{").status_code == 400
        assert client.post(url, content=b" " * 1_100_000).status_code == 413
        assert client.post(url, json=HELLO, headers={"Mcp-Session-Id": "made-up"}).status_code == 404
        assert client.get(url.replace("/mcp", "/")).status_code == 404
        numbers = url.replace("/mcp", "/metrics")
        assert client.get(numbers).status_code == 200
        assert client.get(numbers, headers={"Host": "evil.example"}).status_code == 421
        assert client.get(numbers, headers={"Origin": "https://evil.example"}).status_code == 403
        probe = client.get(url.replace("/mcp", "/healthz"), headers={"Host": "10.0.0.7:8800"})
        assert (probe.status_code, probe.text) == (200, "ok\n"), "asked by address, where nothing is told"
        assert client.post(url, json=HELLO).status_code == 200


def test_white_space_around_the_values_of_header_fields_does_not_count(tmp_path: Path) -> None:
    """httpx refuses to send such values."""
    with listening(tmp_path) as url:
        session = httpx.post(url, json=HELLO, headers=HEADERS).headers["Mcp-Session-Id"]
        spaced = {**HEADERS, "Mcp-Session-Id": f"  {session} \t", "MCP-Protocol-Version": " 2025-06-18  "}
        connection = HTTPConnection(httpx.URL(url).netloc.decode())
        connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}), spaced)
        assert connection.getresponse().status == 200
        connection.close()


def test_what_arrives_for_a_session_that_is_being_ended_is_no_fault_of_the_server(tmp_path: Path) -> None:
    """`started` looks for tracebacks on standard error."""

    async def one(client: httpx.AsyncClient, url: str) -> None:
        begun = await client.post(url, json=HELLO)
        session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-06-18"}
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        notes = [client.post(url, json=note, headers=session) for _ in range(5)]
        answers = await asyncio.gather(client.delete(url, headers=session), *notes)
        assert {answer.status_code for answer in answers} <= {200, 202, 404}

    async def main(url: str) -> None:
        async with httpx.AsyncClient(headers=HEADERS, timeout=30) as client:
            for _ in range(20):
                await asyncio.gather(*(one(client, url) for _ in range(3)))

    with listening(tmp_path) as url:
        asyncio.run(main(url))


def test_a_client_that_is_gone_in_the_middle_of_a_call_leaves_nothing_running(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with Client(url, mode="2026-07-28") as client:
            slow = asyncio.create_task(told(client, "run_plan", plan='(kv/put "on" 1) (loop [] (recur))'))
            async with Client(url) as other:
                while (await told(other, "run_plan", plan='(kv/get "on")'))["value"] != 1:
                    await asyncio.sleep(0.02)
                slow.cancel()
                await asyncio.wait([slow])

    with listening(tmp_path, "--ledger", "ledger.db") as url:
        asyncio.run(main(url))
        for _ in range(100):
            found = subprocess.run(
                [sys.executable, "-m", "rtfs", "audit", "show", "ledger.db"],
                cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            if "cancelled" in found.stdout:
                break
            time.sleep(0.1)
        assert "cancelled" in found.stdout


def test_a_server_that_is_told_to_end_cancels_what_runs_and_says_so_without_a_traceback(tmp_path: Path) -> None:
    async def main(url: str, server: int) -> None:
        async with Client(url, mode="2026-07-28") as client, Client(url) as other:
            plan = '(kv/put "on" 1) (call "ccos.system.sleep-ms" 60000)'
            slow = asyncio.create_task(told(client, "run_plan", plan=plan))
            while (await told(other, "run_plan", plan='(kv/get "on")'))["value"] != 1:
                await asyncio.sleep(0.05)
            os.kill(server, signal.SIGTERM)
            await asyncio.wait([slow])
            assert slow.exception() is not None

    with started(tmp_path, "--ledger", "ledger.db") as found, suppress(BaseExceptionGroup, MCPError):
        asyncio.run(main(*found))  # `started` looks for tracebacks
    shown = subprocess.run(
        [sys.executable, "-m", "rtfs", "audit", "show", "ledger.db"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "outcome ccos.system.sleep-ms cancelled" in shown.stdout


def test_a_server_that_others_could_reach_needs_to_know_who(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--http", "0.0.0.0:0"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, "config/invalid" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------------- tokens
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ISSUER, AUDIENCE = "https://login.example", "https://plans.example/mcp"


@contextmanager
def issuer() -> Iterator[str]:
    """The address of an issuer's keys."""
    described = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "one", "alg": "RS256", "use": "sig"}
    body = json.dumps({"keys": [described]}).encode()

    class Keys(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Keys) as address:
        yield f"{address}/jwks.json"


def token(subject: str = "ann", scope: str = "plans:read", *, key: Any = KEY, **claims: Any) -> str:
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "scope": scope, "exp": int(time.time()) + 300, **claims}
    given = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(given, key, algorithm="HS256" if isinstance(key, str) else "RS256", headers={"kid": "one"})


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "caps.rtfs").write_text(
        """(capability "shop.list" :description "Orders" :implementation (fn [i] [1 2]))
           (capability "shop.cancel" :description "Cancel" :implementation (fn [i] true))
           (capability "shop.refund" :description "Refund" :implementation (fn [i] true))"""
    )
    with issuer() as keys:
        (tmp_path / "rtfs.yaml").write_text(
            f"""allow: ["shop.*"]
load: [caps.rtfs]
policy:
  level: paranoid
  rules: [{{match: shop.refund, decide: approve}}]
serve:
  auth: {{issuer: "{ISSUER}", audience: "{AUDIENCE}", jwks: "{keys}"}}
  scopes:
    plans:read: {{allow: ["shop.list"]}}
    plans:write: {{allow: ["shop.*"], runs_per_minute: 3}}
"""
        )
        with listening(tmp_path, "--config", "rtfs.yaml") as url:
            yield url


def client_of(url: str, bearer: str) -> Client:
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {bearer}"}, timeout=30)
    return Client(streamable_http_client(url, http_client=http), mode="legacy")


def test_tokens_that_do_not_count_here_are_refused(guarded: str) -> None:
    good = token()
    wrong = {
        "none": None,
        "rubbish": "rubbish",
        "another key": token(key=OTHER),
        "a shared secret": token(key="secret" * 10),
        "another audience": token(aud="https://other.example"),
        "another issuer": token(iss="https://evil.example"),
        "expired": token(exp=int(time.time()) - 3600),
        "never expires": token(exp=None),
        "on behalf of nobody": token(""),
        "changed": good[:-6] + "AAAAAA",
    }
    with httpx.Client(headers=HEADERS, timeout=30) as client:
        for name, bearer in wrong.items():
            headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
            answer = client.post(guarded, json=HELLO, headers=headers)
            assert answer.status_code == 401, name
            assert "resource_metadata" in answer.headers["www-authenticate"]
        assert client.post(guarded, json=HELLO, headers={"Authorization": f"Bearer {good}"}).status_code == 200
        metadata = client.get(guarded.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")).json()
        assert (metadata["resource"], metadata["authorization_servers"]) == (AUDIENCE, [ISSUER])


def test_scopes_give_grants_and_principals_are_kept_apart(guarded: str) -> None:
    async def main() -> None:
        async with client_of(guarded, token("ann")) as ann, client_of(guarded, token("bob", "plans:write")) as bob:
            assert (await told(ann, "run_plan", plan='(call "shop.list" {})'))["value"] == [1, 2]
            denied = await told(ann, "run_plan", plan='(call "shop.cancel" {})')
            assert (denied["status"], denied["calls"][0]["outcome"]) == ("denied", "denied")
            found = (await ann.call_tool("search", {"query": ""})).content[0].text
            assert "shop.list" in found
            assert "shop.cancel" not in found
            large = await told(bob, "run_plan", plan="(vec (range 50000))")
            assert (await told(bob, "result", handle=large["handle"], path="7"))["value"] == 7
            assert (await told(ann, "result", handle=large["handle"]))["error"]["code"] == "serve/no-result"
            paused = await told(bob, "run_plan", plan='(call "shop.refund" {})')
            assert paused["status"] == "paused"
            assert (await told(ann, "status", run=paused["run"]))["error"]["code"] == "run/unknown"
            assert (await told(bob, "status", run=paused["run"]))["status"] == "waiting"
            assert (await told(bob, "run_plan", plan='(call "shop.cancel" {})'))["value"] is True
            assert (await told(bob, "run_plan", plan="(+ 1 1)"))["error"]["code"] == "serve/quota"
            assert (await told(ann, "run_plan", plan="(+ 1 1)"))["value"] == 2
        async with client_of(guarded, token("eve", "unheard:of")) as eve:
            assert (await told(eve, "run_plan", plan='(call "shop.list" {})'))["status"] == "denied"

    asyncio.run(main())


def test_a_session_is_of_the_principal_who_opened_it(guarded: str) -> None:
    with httpx.Client(headers=HEADERS, timeout=30) as client:
        opened = client.post(guarded, json=HELLO, headers={"Authorization": f"Bearer {token('ann')}"})
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        taken = client.post(guarded, json=ask, headers={**session, "Authorization": f"Bearer {token('bob')}"})
        assert taken.status_code in (403, 404)


# ---------------------------------------------------------------------- introspection
@contextmanager
def asked_issuer(known: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """The address where an issuer is asked about tokens, and what it was asked: tokens, and who asked."""
    asked: list[tuple[str, str | None]] = []

    class Issuer(QuietHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append((form["token"][0], self.headers.get("Authorization")))
            answer = known.get(form["token"][0], {"active": False})
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(500 if answer == b"broken" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Issuer) as address:
        yield f"{address}/introspect", asked


def test_an_issuer_is_asked_about_opaque_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = {
        "active": True, "sub": "ann", "scope": "plans:read", "aud": AUDIENCE, "iss": ISSUER,
        "exp": int(time.time()) + 300,
    }  # fmt: skip
    known: dict[str, Any] = {
        "good": good,
        "revoked": {**good, "active": False},
        "expired": {**good, "exp": int(time.time()) - 3_600},
        "never expires": {**good, "exp": None},
        "another audience": {**good, "aud": ["https://other.example"]},
        "another issuer": {**good, "iss": "https://evil.example"},
        "nobody": {**good, "sub": ""},
        "a list": [],
        "not JSON": b"{",
        "broken": b"broken",
        "active by word": {**good, "active": "true"},
    }

    async def main(url: str) -> None:
        async with client_of(url, "good") as client:
            assert (await told(client, "run_plan", plan="(+ 1 1)"))["value"] == 2

    monkeypatch.setenv("INTROSPECTION_SECRET", "wonderful-secret")
    with asked_issuer(known) as (where, asked):
        (tmp_path / "rtfs.yaml").write_text(
            f"""serve:
  auth: {{issuer: "{ISSUER}", audience: "{AUDIENCE}", introspection: "{where}", client_id: rtfs,
    client_secret_env: INTROSPECTION_SECRET}}
  scopes:
    plans:read: {{}}
"""
        )
        with (
            listening(tmp_path, "--config", "rtfs.yaml", "--no-isolate") as url,
            httpx.Client(headers=HEADERS) as client,
        ):
            for name in (*known, "made up"):
                answer = client.post(url, json=HELLO, headers={"Authorization": f"Bearer {name}"}, timeout=30)
                assert answer.status_code == (200 if name == "good" else 401), name
            asyncio.run(main(url))
        assert [token for token, _ in asked].count("good") == 1, "the answer is remembered for a while"
        assert {header for _, header in asked} == {httpx.BasicAuth("rtfs", "wonderful-secret")._auth_header}
    monkeypatch.delenv("INTROSPECTION_SECRET")
    done = subprocess.run(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--http", "127.0.0.1:0", "--config", "rtfs.yaml"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, "INTROSPECTION_SECRET is not set" in done.stderr) == (2, True)
    (tmp_path / "both.yaml").write_text(
        f'serve: {{auth: {{issuer: "{ISSUER}", audience: "{AUDIENCE}", introspection: "{where}", jwks: "{where}"}}}}'
    )
    code = "from rtfs.host.config.config import read_config; read_config('both.yaml')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True
    )
    assert "name either jwks or introspection" in done.stderr


def test_500_callers_at_once_get_their_own_answers(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(headers=HEADERS, timeout=300, limits=limits) as client:

            async def call(n: int) -> Any:
                params = {"name": "run_plan", "arguments": {"plan": "(+ @n 1)", "args": {"n": n}}}
                asked = {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": params}
                opened = await client.post(url, json=HELLO)
                session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
                answer = await client.post(url, json=asked, headers=session)
                data = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
                return json.loads(data.removeprefix("data: "))["result"]["structuredContent"]["value"]

            assert await asyncio.gather(*(call(n) for n in range(500))) == [n + 1 for n in range(500)]
            assert (await client.get(url.replace("/mcp", "/healthz"))).text == "ok\n"

    with listening(tmp_path, "--no-isolate") as url:
        asyncio.run(main(url))


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_a_client_that_is_gone_before_its_body_was_read_leaves_no_traceback(tmp_path: Path, version: str) -> None:
    head = (
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {version}\r\nMcp-Method: tools/list\r\n"
        'Content-Length: 1000\r\n\r\n{"jsonrpc":'
    )
    with listening(tmp_path, "--no-isolate") as url:  # which asserts that standard error has no traceback
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", httpx.URL(url).port)) as connection:
                connection.sendall(head.encode())
                time.sleep(0.1)
        assert httpx.get(url.replace("/mcp", "/healthz")).text == "ok\n"
