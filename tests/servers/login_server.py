"""An MCP server of the official SDK that wants a login, with its authorization server, in a thread of the test.

`tamper` changes what it says: path → function of (status, headers, JSON) that answers the same three. Who comes to the
authorization page is let in at once, which `browse` does in place of a person.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

Tamper = Callable[[int, dict[str, str], Any], tuple[int, dict[str, str], Any]]


class Accounts:
    """The SDK's `OAuthAuthorizationServerProvider` in memory. lifetime: seconds that an access token lives. scopes: of
    each token request. refreshed: how often a refresh token was used; each is good once. iss: sent with codes."""

    def __init__(self) -> None:
        self.lifetime = 3600
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.secrets: list[str] = []
        self.refreshed = 0
        self.iss: str | None = None
        self.asked: list[AuthorizationParams] = []
        self.pause = 0.0

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        assert client_info.client_id is not None
        self.clients[client_info.client_id] = client_info
        if client_info.client_secret:
            self.secrets.append(client_info.client_secret)

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        self.asked.append(params)
        code = "code-" + secrets.token_urlsafe(24)
        self.secrets.append(code)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id or "",
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state, iss=self.iss)

    async def load_authorization_code(self, client: Any, authorization_code: str) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client: Any, authorization_code: AuthorizationCode) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._give(authorization_code.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: Any, refresh_token: str) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(self, client: Any, refresh_token: RefreshToken, scopes: list[str]) -> OAuthToken:
        import asyncio

        await asyncio.sleep(self.pause)
        if self.refresh.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant", "used before")
        self.refreshed += 1
        return self._give(refresh_token.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.access.clear()
        self.refresh.clear()

    async def exchange_identity_assertion(self, client: Any, params: Any) -> OAuthToken:
        raise TokenError("unsupported_grant_type")

    def _give(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = ("access-" + secrets.token_urlsafe(24), "refresh-" + secrets.token_urlsafe(24))
        self.secrets += [access, refresh]
        ends = int(time.time()) + self.lifetime
        self.access[access] = AccessToken(
            token=access, client_id=client_id, scopes=scopes, expires_at=ends, resource=resource
        )
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client_id, scopes=scopes, resource=resource)
        return OAuthToken(
            access_token=access, refresh_token=refresh, expires_in=self.lifetime, scope=" ".join(scopes) or None
        )


class LoginServer:
    """A context manager. url: of the MCP endpoint. base: its origin, which is the issuer too. calls: of the tool `add`.
    paths: that were asked for, in order. forms: of the token requests."""

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.accounts = Accounts()
        self.tamper: dict[str, Tamper] = {}
        self.paths: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.calls = 0
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = self.base + "/mcp"
        settings = AuthSettings(
            issuer_url=self.base,  # type: ignore[arg-type]
            resource_server_url=self.url,  # type: ignore[arg-type]
            required_scopes=scopes,
            validate_token_resource=True,
            client_registration_options=ClientRegistrationOptions(enabled=True),
            revocation_options=RevocationOptions(enabled=True),
        )
        server = MCPServer("login", auth_server_provider=self.accounts, auth=settings, log_level="CRITICAL")

        @server.tool()
        def add(a: int, b: int) -> int:
            self.calls += 1
            return a + b

        config = uvicorn.Config(
            self._tampering(server.streamable_http_app(json_response=True)), log_level="critical", lifespan="on"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> LoginServer:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *caught: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def says(self, path: str, **changed: Any) -> None:
        """Have the JSON at a path say these things; None takes a member out."""

        def change(status: int, headers: dict[str, str], value: Any) -> tuple[int, dict[str, str], Any]:
            merged = {**(value if isinstance(value, dict) else {}), **changed}
            return status, headers, {key: one for key, one in merged.items() if one is not None}

        self.tamper[path] = change

    def _tampering(self, app: Any) -> Any:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            path = scope.get("path", "")
            if scope["type"] == "http":
                self.paths.append(path)
            if path == "/token":
                receive = self._listening(receive)
            change = self.tamper.get(path)
            if scope["type"] != "http" or change is None:
                return await app(scope, receive, send)
            start: dict[str, Any] = {}
            body = bytearray()

            async def hold(message: Any) -> None:
                if message["type"] == "http.response.start":
                    start.update(message)
                else:
                    body.extend(message.get("body", b""))

            await app(scope, receive, hold)
            headers = {key.decode(): value.decode() for key, value in start["headers"]}
            try:
                value = json.loads(bytes(body))
            except ValueError:
                value = {}
            status, headers, value = change(start["status"], headers, value)
            raw = json.dumps(value).encode()
            headers |= {"content-length": str(len(raw)), "content-type": "application/json"}
            pairs = [(key.encode(), text.encode()) for key, text in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": pairs})
            return await send({"type": "http.response.body", "body": raw})

        return serve

    def _listening(self, receive: Any) -> Any:
        async def heard() -> Any:
            message = await receive()
            self.forms.append(dict(parse_qsl(message.get("body", b"").decode())))
            return message

        return heard


def browse(address: str, **changed: str | None) -> httpx.Response:
    """Be the browser: open the authorization page, be let in, come back. changed: parameters of the way back; None
    takes one out."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        page = client.get(address)
        back = page.headers["location"]
        parts = urlsplit(back)
        query: dict[str, str | None] = {**dict(parse_qsl(parts.query)), **changed}
        kept = {key: value for key, value in query.items() if value is not None}
        return client.get(parts._replace(query=urlencode(kept)).geturl())
