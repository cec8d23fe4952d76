"""Authorization in the suite's `auth/` scenarios: where a server wants a login, log in as `rtfs mcp login` does, with
an HTTP client in place of the browser, and try again.

A configuration for client credentials, or for a client registered in advance, is made of the scenario's context.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import httpx

from rtfs.capabilities.sessions.handler import NotSent, SessionCall
from rtfs.capabilities.sessions.mcp import McpHandler
from rtfs.capabilities.sessions.oauth.discovery import resource_of
from rtfs.capabilities.sessions.oauth.endpoints import Endpoints
from rtfs.capabilities.sessions.oauth.login import log_in
from rtfs.capabilities.sessions.oauth.login_store import Store
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.host.runtime import Runtime
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, Map, UserError

SERVER = "suite"
CIMD = "https://conformance-test.local/client-metadata.json"
LOGINS = 3
"""How often it is tried: the first, one for each scope that turns out to be missing."""

OUT_OF_SCOPE = {
    "auth/2025-03-26-oauth-endpoint-fallback": "without metadata nothing says that codes are protected (PKCE): refused",
    "auth/dpop": "extension: tokens bound to a key (DPoP) are not spoken",
}
"""What fails rightly, by (beginning of) the scenario's name, and why."""


def run(url: str, scenario: str, revision: str, context: dict[str, Any]) -> str:
    """List the server's tools and call each from a plan; what the plan answers. Raises UserError."""
    entry = configured(url, scenario, context)
    where = {"server_name": SERVER, "requires_session": "auto", **({"protocol_version": revision} if revision else {})}
    tools = with_logins(url, entry, lambda: asyncio.run(_tools(entry, where)))

    def call() -> str:
        with Runtime(allow=["mcp.suite.*"], handlers={"mcp": {"servers": {SERVER: entry}}}) as runtime:
            for tool in tools:
                fields = " ".join(f":{key} {json.dumps(value)}" for key, value in {**where, "tool_name": tool}.items())
                runtime.load(f"(capability {json.dumps('mcp.suite.' + tool)} :metadata {{:mcp {{{fields}}}}})")
            calls = " ".join(f"(call {json.dumps('mcp.suite.' + tool)} {{}})" for tool in tools)
            return to_text(runtime.run(f"[{calls}]"))

    answer: str = with_logins(url, entry, call)
    return answer


async def _tools(entry: dict[str, Any], where: dict[str, str]) -> list[str]:
    handler = McpHandler(servers={SERVER: entry})
    pool = SessionPool({"mcp": handler})
    metadata = {f"mcp_{key}": value for key, value in where.items()}
    try:
        call = SessionCall("mcp.suite", metadata, Map(), principal="local", logins=True)
        return [tool["name"] for tool in await pool.with_session("mcp", call, handler.list_tools)]
    finally:
        await pool.aclose()


def configured(url: str, scenario: str, context: dict[str, Any]) -> dict[str, Any]:
    """The entry of the server in the configuration, and the environment that it needs."""
    folder = tempfile.mkdtemp(prefix="rtfs-conformance-")
    os.environ["XDG_STATE_HOME"] = folder
    oauth: dict[str, Any] = {}
    if "client_id" in context:
        oauth["client_id"] = context["client_id"]
    if "client_secret" in context:
        os.environ["SUITE_SECRET"] = context["client_secret"]
        oauth["client_secret_env"] = "SUITE_SECRET"
        oauth["issuer"] = context.get("issuer") or _issuer(url)
    if scenario.startswith("auth/client-credentials"):
        oauth["grant"] = "client_credentials"
    secrets = {"private_key_pem": "private_key_env", "idp_id_token": "id_token_env", "valid_jwt": "assertion_env"}
    for given, setting in secrets.items():
        if given in context:
            os.environ["SUITE_" + given.upper()] = context[given]
            oauth[setting] = "SUITE_" + given.upper()
            oauth["issuer"] = context.get("issuer") or _issuer(url)
    if "idp_id_token" in context:
        oauth |= {key: context[key] for key in ("idp_issuer", "idp_client_id")} | {"grant": "enterprise_managed"}
    if "valid_jwt" in context:
        oauth["grant"] = "workload_identity"
    if scenario == "auth/basic-cimd":
        oauth["client_id"] = CIMD
    return {"url": url, **({"oauth": oauth} if oauth else {})}


def _issuer(url: str) -> str:
    """What a person would look up before writing it into the configuration."""
    found = asyncio.run(resource_of(Endpoints(httpx.URL(url)), ""))
    return found.issuers[0]


def with_logins(url: str, entry: dict[str, Any], work: Callable[[], Any]) -> Any:
    """What `work` answers, logging in where it fails for want of a login or of a scope."""
    for _ in range(LOGINS):
        try:
            return work()
        except UserError as error:
            data = error.data if isinstance(error.data, Map) else Map()
            challenge, scope = data.get(Keyword("www-authenticate"), ""), data.get(Keyword("scope"), "")
            if error.code != "session/unauthorized" and not (error.code == "session/forbidden" and scope):
                raise
        asyncio.run(_log_in(url, entry, challenge, scope.split()))
    return work()


async def _log_in(url: str, entry: dict[str, Any], challenge: str, scopes: list[str]) -> None:
    try:
        await log_in(
            httpx.URL(url),
            entry.get("oauth") or {},
            principal="local",
            store=Store(),
            environ=os.environ,
            show=lambda address: threading.Thread(target=_browse, args=(address,), daemon=True).start(),
            challenge=challenge,
            scopes=scopes,
            seconds=15,
        )
    except NotSent as signal:
        raise signal.error from signal


def _browse(address: str) -> None:
    httpx.get(address, follow_redirects=True, trust_env=False)
