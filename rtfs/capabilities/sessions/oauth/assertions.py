"""Signed assertions of the client's identity and of the user it acts for, instead of shared secrets: `private_key_jwt`,
and the assertion of an enterprise's identity provider (ID-JAG).

Must not know who waits for a token. Invariants: a private key signs and is sent nowhere; an assertion is good for one
minute and one audience; PyJWT is imported when first needed.

Source: RFC 7523 (2.2, 3), RFC 8693, draft-ietf-oauth-identity-assertion-authz-grant; MCP extensions "OAuth client
credentials" (SEP-1046) and "enterprise-managed authorization" (SEP-990).
"""

from __future__ import annotations

from time import time

from rtfs.capabilities.sessions.handler import SessionError
from rtfs.capabilities.sessions.oauth.endpoints import refused
from rtfs.capabilities.sessions.oauth.token_endpoint import NoToken, ask_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.capabilities.sessions.oauth.endpoints import Endpoints
    from rtfs.capabilities.sessions.oauth.token_endpoint import Client

PRIVATE_KEY = "private_key_jwt"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
_SECONDS = 60


class SigningKey:
    """pem: the private key. id: its `kid`, or None. audience: the issuer identifier that assertions are for."""

    __slots__ = ("_id", "_key", "_pem", "audience")

    def __init__(self, pem: str, id: str | None, audience: str) -> None:
        self._pem = pem
        self._id = id
        self._key: Any = None
        self.audience = audience

    def __repr__(self) -> str:
        return "<signing key>"

    def assertion(self, client_id: str) -> str:
        """A JWT that says that we are this client, for this minute. Raises SessionError `session/credential` for a key
        that cannot sign, or where PyJWT is not installed."""
        from secrets import token_urlsafe

        try:
            import jwt
        except ImportError:
            raise SessionError(
                "private_key_jwt needs PyJWT", code="session/credential", hint="pip install 'rtfs-host[oauth]'"
            ) from None
        try:
            if self._key is None:
                from cryptography.hazmat.primitives.serialization import load_pem_private_key

                self._key = load_pem_private_key(self._pem.encode(), None)
            now = int(time())
            said = {
                "iss": client_id,
                "sub": client_id,
                "aud": self.audience,
                "iat": now,
                "exp": now + _SECONDS,
                "jti": token_urlsafe(16),
            }
            return jwt.encode(said, self._key, _algorithm(self._key), {"kid": self._id} if self._id else None)
        except (ValueError, TypeError, jwt.PyJWTError):
            message = "the private key of the client cannot be read, or cannot sign"
            raise SessionError(message, code="session/credential", hint="it is PEM without a password") from None


def _algorithm(key: Any) -> str:
    """The signature algorithm for a kind of key. Raises ValueError for an unsupported kind."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: "ES256", 384: "ES384", 521: "ES512"}[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    raise ValueError("another kind of key")


async def identity_assertion(
    endpoints: Endpoints,
    where: Any,
    client: Client,
    id_token: str,
    audience: str,
    resource: str,
    scopes: list[str],
    redact: Callable[[str], str],
) -> str:
    """The identity provider's assertion about the owner of this ID token, for one authorization server (audience) and
    one MCP server (resource). Raises NoToken, SessionError `session/oauth`, NotSent."""
    form: Mapping[str, str] = {
        "grant_type": _EXCHANGE,
        "requested_token_type": _ID_JAG,
        "subject_token": id_token,
        "subject_token_type": _ID_TOKEN,
        "audience": audience,
        "resource": resource,
        **({"scope": " ".join(scopes)} if scopes else {}),
    }
    answer = await ask_endpoint(endpoints, where, "the identity provider", client, form)
    found = answer.fields.get("access_token")
    if answer.status != 200 or not isinstance(found, str) or not found:
        error = answer.fields.get("error")
        raise NoToken(error if isinstance(error, str) else "", redact(answer.said()))
    if answer.fields.get("issued_token_type") != _ID_JAG:
        raise refused("the identity provider gives another kind of token than an ID-JAG")
    return found
