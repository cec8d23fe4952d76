"""Requests to an authorization server's endpoints: registration, tokens, revocation.

Must not know who waits for a token or where it is kept. Invariants: a client's secret goes into the one request that
the caller asked for; an answer becomes a token only if a header can carry it; nothing that was sent is in an error.

Source: RFC 6749 (2.3, 4.1.3, 4.4, 5, 6), RFC 7591, RFC 7009, RFC 7636, RFC 8707.
"""

from __future__ import annotations

from time import time

from rtfs.capabilities.sessions.handler import one_line
from rtfs.capabilities.sessions.oauth.challenge import scopes_of
from rtfs.capabilities.sessions.oauth.endpoints import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.capabilities.sessions.oauth.assertions import SigningKey
    from rtfs.capabilities.sessions.oauth.discovery import Issuer
    from rtfs.capabilities.sessions.oauth.endpoints import Answer, Endpoints

NONE, BASIC, POST = "none", "client_secret_basic", "client_secret_post"
CLIENT_NAME = "rtfs"
_EARLY = 30.0


class Client:
    """The OAuth client at an authorization server. method: how the secret is sent, `none` for a public client. key:
    signs instead of a secret (`private_key_jwt`), or None."""

    __slots__ = ("id", "key", "method", "secret")

    def __init__(self, id: str, secret: str = "", method: str = NONE, key: SigningKey | None = None) -> None:
        self.id = id
        self.secret = secret
        self.method = method
        self.key = key


class Grant:
    """The response of a token endpoint. access, refresh: tokens (refresh "" for none). expires: when the access token
    ends, in seconds since the epoch, None if not said. renew: when to ask for the next. scopes: granted, None if not
    said."""

    __slots__ = ("access", "expires", "refresh", "renew", "scopes")

    def __init__(self, access: str, refresh: str, seconds: float | None, scopes: list[str] | None) -> None:
        self.access = access
        self.refresh = refresh
        self.scopes = scopes
        now = time()
        self.expires = None if seconds is None else now + seconds
        self.renew = None if seconds is None else now + seconds - min(_EARLY, seconds / 2)


class NoToken(Exception):
    """The token endpoint refused. error: its code (`invalid_grant` …), "" for none. said: in one line for people."""

    def __init__(self, error: str, said: str) -> None:
        self.error = error
        self.said = said
        super().__init__(said)


def method_for(secret: str, offered: list[str] | None) -> str:
    """The authentication method of a client with this secret at a token endpoint. offered: the endpoint's methods, None
    if unknown."""
    if not secret:
        return NONE
    if offered is None or BASIC in offered:
        return BASIC
    return POST if POST in offered else NONE


async def register(endpoints: Endpoints, issuer: Issuer, redirect_uri: str, scopes: list[str]) -> Client:
    """Become a client of an authorization server. Raises SessionError `session/oauth`, NotSent."""
    if issuer.register is None:
        raise refused(
            f"{one_line(issuer.name, 120)} registers no clients by itself",
            "register one there, and put its id into the configuration as oauth.client_id",
        )
    offered = [NONE] if issuer.methods is None else issuer.methods
    wanted = NONE if NONE in offered else next((one for one in offered if one in (BASIC, POST)), NONE)
    asked: dict[str, Any] = {
        "client_name": CLIENT_NAME,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": wanted,
        "application_type": "native",
    }
    if scopes:
        asked["scope"] = " ".join(scopes)
    answer = await endpoints.ask("POST", issuer.register, "the registration endpoint", json=asked)
    id, secret = answer.fields.get("client_id"), answer.fields.get("client_secret")
    if answer.status not in (200, 201) or not isinstance(id, str) or not id:
        raise refused(f"{one_line(issuer.name, 120)} does not register this client: {answer.said()}")
    method = answer.fields.get("token_endpoint_auth_method", wanted)
    if method not in (NONE, BASIC, POST):
        raise refused(f"{one_line(issuer.name, 120)} wants a client authentication that is not supported here")
    secret = secret if isinstance(secret, str) and method != NONE else ""
    return Client(id, secret, method if secret else NONE)


async def ask_for_token(
    endpoints: Endpoints, where: Any, client: Client, form: Mapping[str, str], redact: Callable[[str], str]
) -> Grant:
    """Ask a token endpoint. form: the grant. Raises NoToken where it refuses, SessionError `session/oauth` for what is
    no usable answer, NotSent."""
    answer = await ask_endpoint(endpoints, where, "the token endpoint", client, form)
    fields = answer.fields
    token = fields.get("access_token")
    if 300 <= answer.status < 400:
        raise refused("the token endpoint answers with a redirect, which is not followed")
    if answer.status != 200 or not isinstance(token, str):
        error = fields.get("error")
        raise NoToken(error if isinstance(error, str) else "", redact(answer.said()))
    if str(fields.get("token_type", "")).lower() != "bearer":
        raise refused("the token endpoint gives another kind of token than bearer")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise refused("the token endpoint gives a token that no header can carry")
    refresh, seconds, scope = fields.get("refresh_token"), fields.get("expires_in"), fields.get("scope")
    return Grant(
        token,
        refresh if isinstance(refresh, str) else "",
        _seconds(seconds),
        scopes_of(scope) if isinstance(scope, str) else None,
    )


async def revoke(endpoints: Endpoints, where: str, client: Client, token: str) -> bool:
    """Have an authorization server forget a token; whether it said so. Raises SessionError, NotSent."""
    form = {"token": token, "token_type_hint": "refresh_token"}
    return (await ask_endpoint(endpoints, where, "the revocation endpoint", client, form)).status == 200


async def ask_endpoint(endpoints: Endpoints, where: Any, what: str, client: Client, form: Mapping[str, str]) -> Answer:
    """Ask with the client's own authentication. The id is sent along with Basic too: servers look for it there."""
    from base64 import b64encode
    from urllib.parse import quote

    sent = {**form, "client_id": client.id}
    authorization = None
    if client.key is not None:
        from rtfs.capabilities.sessions.oauth.assertions import ASSERTION_TYPE

        sent["client_assertion_type"] = ASSERTION_TYPE
        sent["client_assertion"] = client.key.assertion(client.id)
    elif client.method == BASIC:
        pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}"
        authorization = "Basic " + b64encode(pair.encode()).decode()
    elif client.method == POST:
        sent["client_secret"] = client.secret
    return await endpoints.ask("POST", where, what, form=sent, authorization=authorization)


def _seconds(value: Any) -> float | None:
    """A token's lifetime; some servers write the number as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e10:
        return None
    return float(value)
