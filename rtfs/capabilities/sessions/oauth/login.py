"""Login and logout: a person allows the client, in a browser, to act for them at a server.

Must not know terminals, nor what is said to the server afterwards. Invariants: the code goes to the token endpoint of
the issuer whose metadata were checked, after the answer has shown our `state` and, where it says one, that issuer; a
server without PKCE (S256) gets no request; a client's secret goes to the configured issuer only.

Source: OAuth 2.1 (4.1, 7.5), RFC 7636, RFC 8252, RFC 8707, RFC 9207; MCP specification, basic/authorization
(2026-07-28), for scopes and client registration.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import NotSent, SessionError, one_line
from rtfs.capabilities.sessions.oauth.callback import Callback
from rtfs.capabilities.sessions.oauth.challenge import scopes_of
from rtfs.capabilities.sessions.oauth.discovery import issuer_of, resource_of
from rtfs.capabilities.sessions.oauth.endpoints import Endpoints, refused
from rtfs.capabilities.sessions.oauth.login_store import Login
from rtfs.capabilities.sessions.oauth.token_endpoint import (
    Client,
    NoToken,
    ask_for_token,
    method_for,
    register,
    revoke,
)
from rtfs.capabilities.sessions.oauth.token_sources import Tokens, client_id, signing_key, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.oauth.discovery import Issuer, Resource
    from rtfs.capabilities.sessions.oauth.login_store import Store

OFFLINE = "offline_access"


async def log_in(
    url: httpx.URL,
    settings: Mapping[str, Any],
    *,
    principal: str,
    store: Store,
    environ: Mapping[str, str],
    show: Callable[[str], object],
    challenge: str = "",
    scopes: Sequence[str] = (),
    seconds: float = 300.0,
    learn: Callable[[str], object] | None = None,
) -> Login:
    """Log in to the server at a URL and store the tokens.

    settings: `client_id` or `client_id_env`, `client_secret_env`, or `private_key_env` or `private_key_file` with
    `key_id`, `client_auth`, `scopes`, `issuer`, `redirect_uri`, all optional. show: gets the address to open in a
    browser. challenge: the `WWW-Authenticate` of the server's 401, "" for none. scopes: wanted besides what the
    server, the settings and the login before ask for. seconds: that the person has. learn: told of every secret.
    Raises SessionError `session/oauth`, `session/store`, `session/credential`, NotSent.
    """
    tokens = Tokens("the login", learn)
    before = store.load(str(url), principal)
    endpoints = Endpoints(url, settings.get("issuer"))
    resource = await resource_of(endpoints, challenge)
    issuer = await issuer_of(endpoints, _chosen(resource, settings.get("issuer"), url))
    wanted = _scopes(resource, issuer, settings, scopes, before)
    if "S256" not in issuer.challenges:
        raise refused(f"{one_line(issuer.name, 120)} does not say that it protects codes (PKCE with S256)")
    page = endpoints.checked(issuer.authorize, "the authorization endpoint")
    state, verifier = _random(), _random()
    tokens.hide(verifier)
    async with Callback(state, settings.get("redirect_uri")) as callback:
        client = await _client(endpoints, issuer, settings, environ, callback.uri, wanted)
        tokens.hide(client.secret)
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": callback.uri,
            "state": state,
            "code_challenge": _hash(verifier),
            "code_challenge_method": "S256",
            "resource": resource.name,
        }
        if wanted:
            asked["scope"] = " ".join(wanted)
        show(str(page.copy_merge_params(asked)))
        answer = await callback.answer(seconds)
    _check(answer, issuer)
    tokens.hide(answer["code"])
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": callback.uri,
        "code_verifier": verifier,
        "resource": resource.name,
    }
    try:
        grant = await ask_for_token(endpoints, issuer.token, client, form, tokens.redact)
    except NoToken as no:
        raise refused(f"{one_line(issuer.name, 120)} gives no token: {no.said}") from None
    tokens.hide(grant.access, grant.refresh)
    fields = {
        "server": str(url),
        "principal": principal,
        "issuer": issuer.name,
        "resource": resource.name,
        "token_endpoint": issuer.token or "",
        "revocation_endpoint": issuer.revoke or "",
        "client_id": client.id,
        "client_secret": client.secret,
        "client_method": client.method,
        "scopes": wanted or grant.scopes or [],
        "access_token": "",
        "refresh_token": "",
        "expires": 0.0,
        "renew": 0.0,
    }
    login = Login(fields).renewed(grant)
    async with store.alone(login.server, principal):
        store.save(login)
    return login


async def log_out(
    url: httpx.URL, settings: Mapping[str, Any], *, principal: str, store: Store, environ: Mapping[str, str]
) -> tuple[bool, bool]:
    """Forget a login here, and have its issuer forget it: (whether there was one, whether its tokens are worth nothing
    any more). Raises SessionError `session/store`."""
    server = str(url)
    async with store.alone(server, principal):
        login = store.load(server, principal)
        found = store.delete(server, principal)
    if login is None:
        return found, False
    token = login.refresh_token or login.access_token
    if not token or not login.revocation_endpoint:
        return found, not token
    try:
        client = login.client_with(signing_key(settings, environ, login.issuer))
        done = await revoke(Endpoints(url, settings.get("issuer")), login.revocation_endpoint, client, token)
    except (SessionError, NotSent):
        done = False
    return found, done


def _chosen(resource: Resource, issuer: str | None, url: httpx.URL) -> str:
    """The authorization server to use: the configured one, which the server has to trust, else the first it names."""
    if issuer is None:
        return resource.issuers[0]
    names = [one for one in resource.issuers if one.rstrip("/") == issuer.rstrip("/")]
    if not names and resource.issuers != [_own(url)]:
        raise refused(
            f"{url.host} names {one_line(', '.join(resource.issuers), 200)} as its authorization server, not {issuer}",
            "has it moved? then oauth.issuer and the client have to change with it",
        )
    return names[0] if names else issuer


def _own(url: httpx.URL) -> str:
    from rtfs.capabilities.sessions.wire.http import origin

    return origin(url)


def _scopes(
    resource: Resource, issuer: Issuer, settings: Mapping[str, Any], more: Sequence[str], before: Login | None
) -> list[str]:
    """The scopes to request: the configured ones, or else those that the server requires; in addition those requested
    before, so that no operation loses its scopes, and a refresh token if the issuer supports it."""
    first = list(settings.get("scopes") or ()) or resource.scopes
    held = [] if before is None or before.issuer != issuer.name else before.scopes
    found = scopes_of(" ".join([*held, *first, *more]))
    if found and OFFLINE in issuer.scopes and OFFLINE not in found:
        found.append(OFFLINE)
    return found


async def _client(
    endpoints: Endpoints,
    issuer: Issuer,
    settings: Mapping[str, Any],
    environ: Mapping[str, str],
    redirect_uri: str,
    scopes: list[str],
) -> Client:
    """The client to use: the configured one, or else a new registration."""
    if "client_id" in settings or "client_id_env" in settings:
        key = signing_key(settings, environ, issuer.name)
        if key is not None:
            return Client(client_id(settings, environ), key=key)
        secret = variable(environ, settings, "client_secret_env") if "client_secret_env" in settings else ""
        method = settings.get("client_auth") if secret else None
        return Client(client_id(settings, environ), secret, method or method_for(secret, issuer.methods))
    return await register(endpoints, issuer, redirect_uri, scopes)


def _check(answer: Mapping[str, str], issuer: Issuer) -> None:
    """Refuse an answer that is not of this issuer before anything else of it is believed (RFC 9207, 2.4)."""
    said = answer.get("iss")
    if said is None and issuer.says_iss:
        raise refused("the answer to the login does not say who gives it, though the authorization server always does")
    if said is not None and said != issuer.name:
        raise refused("the answer to the login is from another authorization server than was asked")
    if "error" in answer:
        text = one_line(answer.get("error_description") or answer["error"], 200)
        raise refused(f"the login was refused: {text}")
    if not answer.get("code"):
        raise refused("the answer to the login holds no code")


def _random() -> str:
    from secrets import token_urlsafe

    return token_urlsafe(32)


def _hash(verifier: str) -> str:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).decode("ascii").rstrip("=")
