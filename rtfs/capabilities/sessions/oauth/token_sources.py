"""The tokens that are sent to a server, from a login on disk, or issued to a client in its own name.

Must not know the HTTP exchange. Invariants: a token is renewed once for all who wait for it, in this process and
among processes; a caller that gives up does not stop a renewal in progress (the old refresh token may be invalid by
then); a known token is redacted from then on.

Source: RFC 6749 (4.4, 6), RFC 8707; MCP specification, basic/authorization (2025-11-25).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from time import time

from rtfs.capabilities.sessions.handler import Credential, NotSent, SessionError, fresh, one_line
from rtfs.capabilities.sessions.oauth.endpoints import Endpoints
from rtfs.capabilities.sessions.oauth.token_endpoint import Client, NoToken, ask_for_token, method_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.oauth.assertions import SigningKey
    from rtfs.capabilities.sessions.oauth.login_store import Login, Store
    from rtfs.capabilities.sessions.oauth.token_endpoint import Grant

_REMEMBERED = 16
"""Former tokens of a server that are still redacted here (the host forgets none)."""


class Tokens(Credential):
    """The tokens of one server, as what must not be shown. value: the one that is sent, "" for none. name: where they
    come from. learn: told of every secret. advise: says what to do where they do not allow enough, given the missing
    scopes, or "" where the server takes none of them."""

    __slots__ = ("_advise", "_hidden", "_learn")

    def __init__(
        self,
        name: str,
        learn: Callable[[str], object] | None = None,
        advise: Callable[[str], str | None] = lambda scopes: None,
    ) -> None:
        super().__init__("", name, advise(""))
        self._hidden: list[str] = []
        self._learn = learn
        self._advise = advise

    def hint_for(self, scopes: str) -> str | None:
        """As `Credential.hint_for`."""
        return self._advise(scopes)

    def hide(self, *secrets: str) -> None:
        """Show these no more."""
        for secret in secrets:
            if secret and secret not in self._hidden:
                self._hidden = [*self._hidden[-_REMEMBERED:], secret]
                if self._learn is not None:
                    self._learn(secret)

    def redact(self, text: str) -> str:
        """The text without any of them."""
        for secret in self._hidden:
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return text


class TokenSource(ABC):
    """A source of a server's tokens. tokens: the current ones. Subclasses implement `_renew`."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._renew_at = 0.0
        self._expires = 0.0
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def reload(self) -> None:
        """The tokens may have been changed: look again."""

    async def token(self) -> str:
        """The token to send, "" for none; renewed if it is about to end. Raises SessionError, NotSent."""
        if self._renew_at and time() > self._renew_at:
            try:
                await self._shared(self.tokens.value)
            except NotSent:
                if time() > self._expires:
                    raise
        return self.tokens.value

    async def other(self, used: str) -> str:
        """A token instead of one that was not accepted; the same one if there is no other. Errors as `token`."""
        if self.tokens.value == used:
            await self._shared(used)
        return self.tokens.value

    async def settle(self) -> None:
        """Wait for a renewal under way."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _shared(self, used: str) -> None:
        task = self._task
        if task is None:
            task = self._task = asyncio.get_running_loop().create_task(self._renew(used))
            task.add_done_callback(self._done)
        try:
            await asyncio.shield(task)
        except NotSent as signal:
            raise NotSent(fresh(signal.error)) from signal
        except SessionError as error:
            raise fresh(error) from error.__cause__

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # seen, also where all who waited have gone

    @abstractmethod
    async def _renew(self, used: str) -> None:
        """Hold another token than `used`, if there is one. Errors as `token`."""

    def _hold(self, access: str, renew: float, expires: float) -> None:
        self.tokens.hide(access)
        self.tokens.value = access
        self._renew_at, self._expires = renew, expires


class ClientCredentials(TokenSource):
    """Tokens for ourselves, kept in memory. settings: `issuer`, `client_id` or `client_id_env`, `client_secret_env`, or
    `private_key_env` or `private_key_file` with `key_id`, `client_auth`, `scopes`. Raises SessionError
    `session/credential` for settings that lead to no client."""

    def __init__(
        self,
        url: httpx.URL,
        settings: Mapping[str, Any],
        environ: Mapping[str, str],
        learn: Callable[[str], object] | None = None,
    ) -> None:
        issuer = settings["issuer"]
        super().__init__(Tokens(f"the issuer {one_line(issuer, 80)}", learn, _more_scopes))
        self._url = url
        self._settings, self._environ = settings, environ
        self._issuer = issuer
        self._scopes: list[str] = list(settings.get("scopes") or ())
        self._id = client_id(settings, environ)
        self._key = signing_key(settings, environ, issuer)
        secret = self._key is None and (settings.get("client_secret_env") or self._needs_secret)
        self._secret = variable(environ, settings, "client_secret_env") if secret else ""
        self._method: str | None = settings.get("client_auth")
        self.tokens.hide(self._secret)
        self._endpoints = Endpoints(url, issuer)

    _needs_secret = True

    def reload(self) -> None:
        """Nothing to do: no other process has these tokens."""

    async def _form(self) -> dict[str, str]:
        """The grant. Raises NoToken, SessionError, NotSent."""
        return {"grant_type": "client_credentials", "resource": str(self._url)}

    def _bearer_form(self, assertion: str) -> dict[str, str]:
        """The grant for a JWT of another party that vouches for us (RFC 7523, 2.1); it is not shown."""
        from rtfs.capabilities.sessions.oauth.assertions import JWT_BEARER

        self.tokens.hide(assertion)
        return {"grant_type": JWT_BEARER, "assertion": assertion, "resource": str(self._url)}

    async def _renew(self, used: str) -> None:
        from rtfs.capabilities.sessions.oauth.discovery import issuer_of

        issuer = await issuer_of(self._endpoints, self._issuer)
        client = Client(self._id, self._secret, self._method or method_for(self._secret, issuer.methods), self._key)
        try:
            form = await self._form()
            if self._scopes:
                form["scope"] = " ".join(self._scopes)
            grant = await ask_for_token(self._endpoints, issuer.token, client, form, self.tokens.redact)
        except NoToken as no:
            raise SessionError(f"{self.tokens.name} gives no token: {no.said}", code="session/unauthorized") from None
        self._hold(grant.access, grant.renew or 0.0, grant.expires or 0.0)


class EnterpriseManaged(ClientCredentials):
    """Tokens for a person whom an enterprise's identity provider vouches for (ID-JAG), without a login at the server.
    settings: as above, and `idp_issuer`, `idp_client_id` or `idp_client_id_env`, `idp_client_secret_env`, and
    `id_token_env`, the person's ID token."""

    _needs_secret = False

    def __init__(
        self,
        url: httpx.URL,
        settings: Mapping[str, Any],
        environ: Mapping[str, str],
        learn: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(url, settings, environ, learn)
        self._idp = settings["idp_issuer"]
        self._idp_endpoints = Endpoints(url, self._idp)
        self._idp_id = str(settings.get("idp_client_id") or variable(environ, settings, "idp_client_id_env"))
        named = settings.get("idp_client_secret_env")
        self._idp_secret = variable(environ, settings, "idp_client_secret_env") if named else ""
        self.tokens.hide(self._idp_secret)

    async def _form(self) -> dict[str, str]:
        from rtfs.capabilities.sessions.oauth.assertions import identity_assertion
        from rtfs.capabilities.sessions.oauth.discovery import issuer_of

        id_token = variable(self._environ, self._settings, "id_token_env")
        self.tokens.hide(id_token)
        idp = await issuer_of(self._idp_endpoints, self._idp)
        client = Client(self._idp_id, self._idp_secret, method_for(self._idp_secret, idp.methods))
        assertion = await identity_assertion(
            self._idp_endpoints,
            idp.token,
            client,
            id_token,
            self._issuer,
            str(self._url),
            self._scopes,
            self.tokens.redact,
        )
        return self._bearer_form(assertion)


class WorkloadIdentity(ClientCredentials):
    """Tokens for a workload that its platform vouches for (a service account of Kubernetes, say), without a secret.
    settings: as above, and `assertion_env` or `assertion_file`, the platform's JWT, which is read again each time.

    Source: RFC 7523 (2.1); MCP extension "workload identity federation" (SEP-1933)."""

    _needs_secret = False

    async def _form(self) -> dict[str, str]:
        if self._settings.get("assertion_file"):
            assertion = _file(self._settings, "assertion_file").strip()
        else:
            assertion = variable(self._environ, self._settings, "assertion_env").strip()
        return self._bearer_form(assertion)


class StoredLogin(TokenSource):
    """The tokens of a person who logged in, kept in a store. issuer: that was configured, if any. advise: says
    how to log in, for further scopes if any are given. key: the private key with which the client signs who it is, if
    it has one."""

    def __init__(
        self,
        url: httpx.URL,
        principal: str,
        store: Store,
        issuer: str | None,
        advise: Callable[[str], str],
        learn: Callable[[str], object] | None = None,
        key: Callable[[str], SigningKey | None] = lambda audience: None,
    ) -> None:
        super().__init__(Tokens("the stored login", learn, advise))
        self._key = key
        self._endpoints = Endpoints(url, issuer)
        self._url = url
        self._principal = principal
        self._store = store
        self._read = False

    def reload(self) -> None:
        """Read the file again when a token is wanted next."""
        self._read = False

    async def token(self) -> str:
        """As `TokenSource.token`; raises SessionError `session/store` too."""
        if not self._read:
            self._load()
        return await super().token()

    def _load(self) -> Login | None:
        login = self._store.load(str(self._url), self._principal)
        self._read = True
        if login is None:
            self._hold("", 0.0, 0.0)
            return None
        self.tokens.hide(*login.secrets())
        self._hold(login.access_token, login.renew if login.refresh_token else 0.0, login.expires)
        return login

    async def _renew(self, used: str) -> None:
        login = self._load()
        if login is None or (self.tokens.value and self.tokens.value != used) or not login.refresh_token:
            return
        async with self._store.alone(login.server, login.principal):
            login = self._load()  # another process may have been first
            if login is None or self.tokens.value != used or not login.refresh_token:
                return
            try:
                grant = await refresh(login, self._endpoints, self.tokens, self._key(login.issuer))
            except NoToken as no:
                if no.error not in ("invalid_grant", "invalid_client", "unauthorized_client"):
                    raise SessionError(
                        f"the login at {one_line(login.issuer, 80)} is not renewed: {no.said}",
                        code="session/unauthorized",
                        hint=self.tokens.hint,
                    ) from None
                self._store.save(login.over())
                self._load()
                raise SessionError(
                    f"the login at {one_line(login.issuer, 80)} is over ({no.error}): {no.said}",
                    code="session/unauthorized",
                    hint=self.tokens.hint,
                ) from None
            self.tokens.hide(grant.access, grant.refresh)
            self._store.save(login.renewed(grant))
            self._load()


async def refresh(login: Login, endpoints: Endpoints, tokens: Tokens, key: SigningKey | None = None) -> Grant:
    """New tokens for a login, of the endpoint that gave the old ones. key: signs for the client, if it has one. Raises
    NoToken, SessionError, NotSent."""
    form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token, "resource": login.resource}
    return await ask_for_token(endpoints, login.token_endpoint, login.client_with(key), form, tokens.redact)


def _more_scopes(scopes: str) -> str | None:
    return f"add {scopes} to oauth.scopes of the server's configuration" if scopes else None


def client_id(settings: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The configured client's id. Raises SessionError `session/credential`."""
    return str(settings.get("client_id") or variable(environ, settings, "client_id_env"))


def variable(environ: Mapping[str, str], settings: Mapping[str, Any], key: str) -> str:
    """The value of the environment variable that a setting names. Raises SessionError `session/credential`."""
    name = settings.get(key)
    value = environ.get(str(name)) if name else None
    if not value:
        raise SessionError(f"oauth.{key} names {name}, which is not set", code="session/credential", hint=f"set {name}")
    return value


def signing_key(settings: Mapping[str, Any], environ: Mapping[str, str], audience: str) -> SigningKey | None:
    """The private key that settings name, by a variable or a file; None for none. Raises SessionError
    `session/credential`."""
    from rtfs.capabilities.sessions.oauth.assertions import SigningKey

    if settings.get("private_key_env"):
        pem = variable(environ, settings, "private_key_env")
    elif settings.get("private_key_file"):
        pem = _file(settings, "private_key_file")
    else:
        return None
    return SigningKey(pem, settings.get("key_id"), audience)


def _file(settings: Mapping[str, Any], key: str) -> str:
    """The content of the file that a setting names. Raises SessionError `session/credential`."""
    try:
        with open(settings[key], encoding="utf-8") as file:
            return file.read(65_536)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise SessionError(f"oauth.{key} cannot be read: {why}", code="session/credential") from None
