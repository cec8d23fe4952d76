"""OAuth 2.1 client credentials for a server that asks for them: a token is fetched when the server says 401, kept in
memory, renewed before it runs out, once for all who wait.

Must not know what is said over HTTP. Invariants: the client's secret goes to the token endpoint of the configured
issuer and nowhere else, a token to the configured server only; neither appears in a message; a request is sent
once more only
after a 401, which says that the server has not acted on it.

Source: RFC 6749 (4.4), RFC 8414, RFC 8707; MCP specification, basic/authorization (2025-11-25).
"""

from __future__ import annotations

import asyncio
from time import monotonic

from rtfs.capabilities.sessions.handler import Credential, MaybeSent, NotSent, SessionError, one_line
from rtfs.capabilities.sessions.jsontext import parse
from rtfs.capabilities.sessions.web import body_of, close, fields_of, origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.web import WebClient

_LARGEST = 256 * 1024
_EARLY = 30.0
"""Seconds before its end that a token is renewed."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Tokens(Credential):
    """The tokens of one server, as what must not be shown."""

    def __init__(self, name: str, secret: str) -> None:
        super().__init__("", name)
        self.hidden: list[str] = [secret]

    def redact(self, text: str) -> str:
        """The text without any token that was ever held, and without the client's secret."""
        for secret in self.hidden:
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return text


class Authorized:
    """A `WebClient` that sends a token along. url: of the server. settings: `issuer`, `client_id` or `client_id_env`,
    `client_secret_env`, `scopes`. Raises SessionError `session/credential` for settings that lead to no client."""

    def __init__(
        self, client: WebClient, url: httpx.URL, settings: Mapping[str, Any], environ: Mapping[str, str]
    ) -> None:
        self.client = client
        self.url = url
        self.settings = settings
        self._id = settings.get("client_id") or _variable(environ, settings, "client_id_env")
        self._secret = _variable(environ, settings, "client_secret_env")
        self.tokens = Tokens(f"the issuer {one_line(str(settings['issuer']), 80)}", self._secret)
        self._token = ""
        self._until: float | None = None
        self._lock = asyncio.Lock()

    def failure(self, error: BaseException, url: httpx.URL) -> NotSent | MaybeSent:
        """As `WebClient.failure`."""
        return self.client.failure(error, url)

    async def send(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes = b"") -> httpx.Response:
        """As `WebClient.send`; after a 401 once more with a new token."""
        if origin(url) != origin(self.url):
            return await self.client.send(method, url, headers, body)
        if self._until is not None and monotonic() > self._until - _EARLY:
            await self._renew(self._token)
        used = self._token
        response = await self.client.send(method, url, self._with(headers, used), body)
        if response.status_code != 401:
            return response
        await close(response)
        await self._renew(used)
        return await self.client.send(method, url, self._with(headers, self._token), body)

    @staticmethod
    def _with(headers: httpx.Headers, token: str) -> httpx.Headers:
        if not token:
            return headers
        sent = headers.copy()
        sent["authorization"] = f"Bearer {token}"
        return sent

    async def _renew(self, used: str) -> None:
        """Have another token than `used`; who comes while one is fetched waits for that one."""
        async with self._lock:
            if self._token != used:
                return
            self._token, seconds = await self._fetch()
            self._until = None if seconds is None else monotonic() + max(seconds, _EARLY + 1)
            self.tokens.hidden = [self._secret, *self.tokens.hidden[-8:], self._token]

    async def _fetch(self) -> tuple[str, float | None]:
        from base64 import b64encode
        from urllib.parse import quote, urlencode

        metadata = await self._metadata()
        form = {"grant_type": "client_credentials", "resource": str(self.url)}
        scopes = self.settings.get("scopes")
        if scopes:
            form["scope"] = " ".join(scopes)
        headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if isinstance(methods, list) and "client_secret_basic" not in methods:
            form |= {"client_id": self._id, "client_secret": self._secret}
        else:
            pair = f"{quote(self._id, safe='')}:{quote(self._secret, safe='')}"
            headers.append(("Authorization", "Basic " + b64encode(pair.encode()).decode()))
        where = str(metadata.get("token_endpoint", ""))
        status, answer = await self._ask("POST", where, headers, urlencode(form).encode())
        token = answer.get("access_token")
        if status != 200 or not isinstance(token, str) or str(answer.get("token_type", "")).lower() != "bearer":
            said = self.tokens.redact(one_line(str(answer.get("error_description") or answer.get("error") or status)))
            raise self._refused(f"gives no token: {said}")
        if not token.isascii() or not token.isprintable() or " " in token or not token:
            raise self._refused("gives a token that no header can carry")
        seconds = answer.get("expires_in")
        known = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        return token, seconds if known else None

    async def _metadata(self) -> dict[str, Any]:
        """The issuer's metadata, which must say that they are the issuer's."""
        import httpx

        issuer = httpx.URL(self.settings["issuer"])
        path = issuer.path.rstrip("/")
        base = origin(issuer)
        places = [
            f"{base}/.well-known/oauth-authorization-server{path}",
            f"{base}{path}/.well-known/openid-configuration",
        ]
        for place in places:
            status, found = await self._ask("GET", place, [("Accept", "application/json")])
            if status == 200:
                if found.get("issuer") != self.settings["issuer"]:
                    raise self._refused("answers with the metadata of another issuer")
                return found
        raise self._refused("has no metadata")

    async def _ask(
        self, method: str, where: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> tuple[int, dict[str, Any]]:
        import httpx

        try:
            url = httpx.URL(where)
        except httpx.InvalidURL:
            raise self._refused("names an endpoint that is no URL") from None
        local = url.scheme == "http" and url.host in _LOOPBACK and self.url.host in _LOOPBACK
        if not url.host or (url.scheme != "https" and not local):
            raise self._refused("is not reached by https")
        try:
            response = await self.client.send(method, url, httpx.Headers(headers), body)
        except (NotSent, MaybeSent) as signal:
            raise NotSent(signal.error) from signal  # the call itself has not been sent
        try:
            value = parse(await body_of(response, fields_of(response), _LARGEST))
        except ValueError:
            value = None
        finally:
            await close(response)
        return response.status_code, value if isinstance(value, dict) else {}

    def _refused(self, what: str) -> SessionError:
        return SessionError(f"{self.tokens.name} {what}", code="session/unauthorized")


def _variable(environ: Mapping[str, str], settings: Mapping[str, Any], key: str) -> str:
    name = settings.get(key)
    value = environ.get(str(name)) if name else None
    if not value:
        raise SessionError(f"oauth.{key} names {name}, which is not set", code="session/credential", hint=f"set {name}")
    return value
