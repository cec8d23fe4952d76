"""Access tokens of callers: JWTs verified with the issuer's keys, or opaque tokens verified by asking the issuer.

Must not know requests or tools. Invariants: a token is valid only for this server's audience and this issuer, and not
after it has expired; a token that cannot be verified is not valid, whatever the reason; a token is sent only to the
issuer that is asked about it.

Source: RFC 7519, RFC 9068 (JWT); RFC 7662 (introspection).
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from time import monotonic, time
from typing import Any

from mcp.server.auth.provider import AccessToken

from rtfs.serve.callers import token_digest
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtfs.host.config.config import AuthConfiguration, ServeSettings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures that are accepted; none with a shared secret."""
LEEWAY = 30
"""Seconds that clocks may differ."""
KNOWN, SECONDS = 1_000, 30.0
"""Opaque tokens whose answers are remembered, and for how long: a token that is revoked counts for so long still."""
PATIENCE = 10.0
"""Seconds for an issuer to answer."""
ANSWER = 100_000
"""Bytes of an issuer's answer."""


class Tokens:
    """Verifies JWTs with a signature by a key of the issuer."""

    def __init__(self, settings: AuthConfiguration) -> None:
        from jwt import PyJWKClient

        self._settings = settings
        self._keys = PyJWKClient(str(settings.jwks), cache_keys=True, lifespan=300, timeout=PATIENCE)

    async def verify_token(self, token: str) -> AccessToken | None:
        """The claims of a token; None for a token that is not valid here."""
        from jwt import PyJWTError

        try:
            return await asyncio.to_thread(self._read, token)
        except (PyJWTError, ValueError):
            return None

    def _read(self, token: str) -> AccessToken | None:
        import jwt

        settings = self._settings
        key = self._keys.get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return _access(token, claims, settings) if claims["sub"] else None


class Introspection:
    """Asks the issuer about each token, and remembers the answer for a short while. Raises HostError `config/variable`
    where the secret of this server is not there."""

    def __init__(self, settings: AuthConfiguration) -> None:
        self._settings = settings
        self._secret = os.environ.get(settings.client_secret_env or "", "")
        if settings.client_secret_env and not self._secret:
            raise HostError(
                f"serve.auth: the environment variable {settings.client_secret_env} is not set", code="config/variable"
            )
        if self._secret:
            from rtfs.host.redaction import know

            know(self._secret)
        self._known: OrderedDict[str, tuple[float, AccessToken | None]] = OrderedDict()

    async def verify_token(self, token: str) -> AccessToken | None:
        """The issuer's statement about a token; None for a token that is not valid here, or if the issuer cannot be
        asked."""
        key, now = token_digest(token), monotonic()
        until, found = self._known.get(key, (0.0, None))
        if until <= now:
            try:
                found = self._checked(token, await self._ask(token))
            except (OSError, ValueError):  # it is not remembered: the next request asks again
                return None
            self._known[key] = now + SECONDS, found
            self._known.move_to_end(key)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return None if found is None or _expired(found.expires_at) else found

    async def _ask(self, token: str) -> dict[str, Any]:
        """The issuer's answer. Raises OSError, ValueError."""
        import httpx

        settings = self._settings
        auth = None if settings.client_id is None else httpx.BasicAuth(settings.client_id, self._secret)
        form = {"token": token, "token_type_hint": "access_token"}
        headers = {"Accept": "application/json"}
        try:
            async with httpx.AsyncClient(auth=auth, timeout=PATIENCE, follow_redirects=False) as client:
                answer = await client.post(str(settings.introspection), data=form, headers=headers)
        except httpx.HTTPError as error:
            raise OSError(str(error)) from None
        if answer.status_code != 200 or len(answer.content) > ANSWER:
            raise OSError(f"the issuer answers {answer.status_code}")
        claims = answer.json()
        if not isinstance(claims, dict):
            raise ValueError("the issuer's answer is not an object")
        return claims

    def _checked(self, token: str, claims: dict[str, Any]) -> AccessToken | None:
        settings = self._settings
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        exp = claims.get("exp")
        good = (
            claims.get("active") is True
            and settings.audience in audiences
            and claims.get("iss", settings.issuer) == settings.issuer
            and isinstance(claims.get("sub"), str)
            and claims["sub"] != ""
            and isinstance(exp, (int, float))
            and not isinstance(exp, bool)
        )
        return _access(token, {"iss": settings.issuer, **claims}, settings) if good else None


def tokens_of(settings: ServeSettings) -> Tokens | Introspection | None:
    """The token verifier of a server; None for a server without authorization. Raises HostError `config/variable`."""
    auth = settings.auth
    if auth is None:
        return None
    return Tokens(auth) if auth.jwks is not None else Introspection(auth)


def _access(token: str, claims: Mapping[str, Any], settings: AuthConfiguration) -> AccessToken:
    return AccessToken(
        token=token,
        client_id=str(claims.get("client_id") or claims.get("azp") or claims["sub"]),
        scopes=_scopes(claims),
        expires_at=int(claims["exp"]),
        resource=settings.audience,
        subject=str(claims["sub"]),
        claims={name: claims[name] for name in ("iss", "iat") if name in claims},
    )


def _expired(moment: int | None) -> bool:
    return moment is not None and moment + LEEWAY < time()


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """The scopes of a token: the words of `scope`, or a list in `scope` or `scp`."""
    found = claims.get("scope", claims.get("scp", ""))
    return found.split() if isinstance(found, str) else [str(one) for one in found] if isinstance(found, list) else []
