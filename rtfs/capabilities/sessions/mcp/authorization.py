"""The tokens that a server gets when a call has no credential of its own.

Must not know how tokens are had or kept. Invariants: configured headers come first; a stored login is used only where
the call may use one; the server that is connected to is the one that the configuration or the declaration names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp.target import Target
    from rtfs.capabilities.sessions.oauth.assertions import SigningKey
    from rtfs.capabilities.sessions.oauth.token_sources import TokenSource
    from rtfs.capabilities.sessions.wire.http import WebClient

_OWN = ("client_credentials", "enterprise_managed", "workload_identity")
"""Grants that need no login."""


def authorized(
    target: Target,
    call: SessionCall,
    client: WebClient,
    known: MutableMapping[tuple[str, str], Any],
    environ: Mapping[str, str],
    learn: Callable[[str], object] | None,
) -> Any:
    """The client to reach an HTTP server with: one that sends tokens (it has `tokens`), or the plain one. known: those
    made before, by server and principal. learn: told of every secret. Raises SessionError `session/credential`."""
    if target.oauth is None and "authorization" in map(str.lower, target.headers):
        return client
    own = target.oauth is not None and target.oauth.get("grant") in _OWN
    if not own and not call.logins:
        return client
    key = (target.identity, call.principal)
    found = known.get(key)
    if found is None:
        from rtfs.capabilities.sessions.oauth.bearer import Authorized

        if len(known) > 1000:  # sessions keep the ones they use
            known.clear()
        found = known[key] = Authorized(client, target.url, _source(target, call.principal, environ, learn, own=own))
    found.source.reload()
    return found


def login_of(target: Target, principal: str) -> str | None:
    """The remaining lifetime of the principal's stored login at a server, in words; None without a login. Raises
    SessionError `session/store`."""
    if target.url is None:
        return None
    from rtfs.capabilities.sessions.oauth.login_store import Store

    found = Store().load(str(target.url), principal)
    return None if found is None else found.lasts


def _source(
    target: Target,
    principal: str,
    environ: Mapping[str, str],
    learn: Callable[[str], object] | None,
    *,
    own: bool,
) -> TokenSource:
    settings = target.oauth or {}
    if own:
        from rtfs.capabilities.sessions.oauth import token_sources

        kinds = (token_sources.ClientCredentials, token_sources.EnterpriseManaged, token_sources.WorkloadIdentity)
        return dict(zip(_OWN, kinds, strict=True))[settings["grant"]](target.url, settings, environ, learn)
    from rtfs.capabilities.sessions.oauth.login_store import Store
    from rtfs.capabilities.sessions.oauth.token_sources import StoredLogin, signing_key

    def advise(scopes: str) -> str:
        from shlex import quote

        return f"run `rtfs mcp login {quote(target.login_name)}" + (f" --scope {quote(scopes)}`" if scopes else "`")

    def key(audience: str) -> SigningKey | None:
        return signing_key(settings, environ, audience)

    return StoredLogin(target.url, principal, Store(), settings.get("issuer"), advise, learn, key)
