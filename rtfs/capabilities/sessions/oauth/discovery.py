"""Whom a server trusts to issue tokens, and where that authorization server's endpoints are.

Must not know tokens. Invariants: what a server says of itself is believed only if it says it from its own origin and
of itself; an authorization server's metadata only if they are the issuer's own.

Source: RFC 9728, RFC 8414 (3.1, 3.3), OpenID Connect Discovery 1.0 (4); MCP specification, basic/authorization
(2025-03-26 to 2026-07-28), for the order of the places and servers without metadata of their own.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import one_line
from rtfs.capabilities.sessions.oauth.challenge import bearer, scopes_of
from rtfs.capabilities.sessions.oauth.endpoints import refused
from rtfs.capabilities.sessions.wire.http import origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.oauth.endpoints import Endpoints


class Resource:
    """A protected server. name: the resource identifier, exactly as it is published. issuers: its authorization
    servers, at least one. scopes: what it asks for: of the challenge, else of its metadata, else []."""

    __slots__ = ("issuers", "name", "scopes")

    def __init__(self, name: str, issuers: list[str], scopes: list[str]) -> None:
        self.name = name
        self.issuers = issuers
        self.scopes = scopes


class Issuer:
    """An authorization server. name: the issuer identifier. Endpoints are None where it names none. methods: of client
    authentication at the token endpoint, None if not said. challenges: PKCE methods. scopes: that it knows. says_iss:
    whether it names itself in its answers (RFC 9207)."""

    __slots__ = ("authorize", "challenges", "methods", "name", "register", "revoke", "says_iss", "scopes", "token")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.name: str = fields["issuer"]
        self.authorize = _text(fields, "authorization_endpoint")
        self.token = _text(fields, "token_endpoint")
        self.register = _text(fields, "registration_endpoint")
        self.revoke = _text(fields, "revocation_endpoint")
        self.methods = _texts(fields, "token_endpoint_auth_methods_supported")
        self.challenges = _texts(fields, "code_challenge_methods_supported") or []
        self.scopes = _texts(fields, "scopes_supported") or []
        self.says_iss = fields.get("authorization_response_iss_parameter_supported") is True


async def resource_of(endpoints: Endpoints, challenge: str) -> Resource:
    """The resource metadata of a server. challenge: the `WWW-Authenticate` of its 401, "" for none. A server that says
    nothing is its own authorization server. Raises SessionError `session/oauth`, NotSent."""
    home = endpoints.home
    said = bearer(challenge)
    places = _resource_places(home)
    if "resource_metadata" in said:
        named = endpoints.checked(said["resource_metadata"], "the address of the resource metadata")
        if origin(named) != origin(home):
            raise refused(f"{origin(home)} points to resource metadata at another origin, {origin(named)}")
        places = [str(named), *(place for place in places if place != str(named))]
    wanted = scopes_of(said.get("scope", ""))
    for place in places:
        answer = await endpoints.ask("GET", place, "the resource metadata")
        if answer.status != 200:
            continue
        name = answer.fields.get("resource")
        if not isinstance(name, str) or not covers(name, home):
            shown = one_line(name, 120) if isinstance(name, str) else "no resource"
            raise refused(f"the resource metadata of {origin(home)} are about {shown}, not about this server")
        issuers = _texts(answer.fields, "authorization_servers")
        if not issuers:
            raise refused(f"the resource metadata of {origin(home)} name no authorization server")
        return Resource(name, issuers, wanted or scopes_of(" ".join(_texts(answer.fields, "scopes_supported") or [])))
    return Resource(str(home), [origin(home)], wanted)


def _resource_places(home: httpx.URL) -> list[str]:
    """The well-known places of a server's metadata: for its path, then for the whole origin."""
    base = origin(home) + "/.well-known/oauth-protected-resource"
    path = home.path.rstrip("/")
    return [base + path, base] if path else [base]


def covers(resource: str, url: httpx.URL) -> bool:
    """Whether a resource identifier is that of the server at a URL: the same origin, and its path or one above."""
    import httpx

    try:
        named = httpx.URL(resource)
    except httpx.InvalidURL:
        return False
    if named.fragment or named.userinfo or origin(named) != origin(url) or (named.query and named.query != url.query):
        return False
    above, path = named.path.rstrip("/"), url.path.rstrip("/")
    return path == above or path.startswith(above + "/")


async def issuer_of(endpoints: Endpoints, name: str) -> Issuer:
    """The metadata of an authorization server. Raises SessionError `session/oauth` if it has none, or another's;
    NotSent."""
    url = endpoints.checked(name, "the authorization server")
    if url.query:
        raise refused(f"the authorization server {one_line(name, 120)} is named with a query")
    base, path = origin(url), url.path.rstrip("/")
    places = [f"{base}/.well-known/oauth-authorization-server{path}", f"{base}/.well-known/openid-configuration{path}"]
    if path:
        places.append(f"{base}{path}/.well-known/openid-configuration")
    for place in places:
        answer = await endpoints.ask("GET", place, "the authorization server")
        if answer.status != 200:
            continue
        said = answer.fields.get("issuer")
        if not isinstance(said, str) or not _same(said, name):
            shown = one_line(said, 120) if isinstance(said, str) else "no one"
            raise refused(f"the authorization server {one_line(name, 120)} has the metadata of another issuer, {shown}")
        return Issuer(answer.fields)
    raise refused(f"the authorization server {one_line(name, 120)} has no metadata")


def _same(said: str, name: str) -> bool:
    """Whether two issuer identifiers are the same text; the slash of an otherwise empty path does not count."""
    return said == name or (said.rstrip("/") == name.rstrip("/") and name.rstrip("/").count("/") == 2)


def _text(fields: dict[str, Any], key: str) -> str | None:
    found = fields.get(key)
    return found if isinstance(found, str) and found else None


def _texts(fields: dict[str, Any], key: str) -> list[str] | None:
    found = fields.get(key)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else None
