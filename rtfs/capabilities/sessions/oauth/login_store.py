"""Logins on disk: one file for each server and principal, readable by their owner only.

Must not know how tokens come about. Invariants: nothing is read from, or written to, a folder or file that others may
look into or that belongs to another user; a file is written whole or not at all; two processes that renew one login do
so one after the other.
"""

from __future__ import annotations

import os

from rtfs.capabilities.sessions.handler import SessionError, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from rtfs.capabilities.sessions.oauth.assertions import SigningKey
    from rtfs.capabilities.sessions.oauth.token_endpoint import Client, Grant

LOCK_SECONDS = 20.0
_FIELDS = {
    "server": str, "principal": str, "issuer": str, "resource": str, "token_endpoint": str, "revocation_endpoint": str,
    "client_id": str, "client_secret": str, "client_method": str, "scopes": list, "access_token": str,
    "refresh_token": str, "expires": float, "renew": float,
}  # fmt: skip


class Login:
    """A stored login. server: URL. scopes: the requested ones. expires, renew: seconds since the epoch, 0.0 if not
    known. access_token is "" once the login is over."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"<login at {self.fields.get('server')}>"

    def client_with(self, key: SigningKey | None) -> Client:
        """The client that the tokens belong to. key: signs who it is, if it has one; it is not kept with the login."""
        from rtfs.capabilities.sessions.oauth.token_endpoint import Client

        return Client(self.client_id, self.client_secret, self.client_method, key)

    @property
    def lasts(self) -> str:
        """The remaining lifetime, in words; "" if it is not known."""
        from time import localtime, strftime

        if not self.access_token:
            return "over"
        if self.refresh_token:
            return "renewed by itself"
        return f"until {strftime('%Y-%m-%d %H:%M', localtime(self.expires))}" if self.expires else ""

    def renewed(self, grant: Grant) -> Login:
        """The login with new tokens; if a server gives no new refresh token, the old one is kept."""
        return Login({
            **self.fields,
            "access_token": grant.access,
            "refresh_token": grant.refresh or self.refresh_token,
            "expires": grant.expires or 0.0,
            "renew": grant.renew or 0.0,
        })  # fmt: skip

    def over(self) -> Login:
        """The login without its tokens, once they are no longer valid."""
        return Login({**self.fields, "access_token": "", "refresh_token": "", "expires": 0.0, "renew": 0.0})

    def secrets(self) -> list[str]:
        """The values that must not be shown."""
        return [secret for secret in (self.access_token, self.refresh_token, self.client_secret) if secret]


def folder_of(environ: Any = os.environ) -> str:
    """`rtfs/logins` where XDG keeps state."""
    home = environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "rtfs", "logins")


class Store:
    """folder: of the logins; made when something is written. All methods raise SessionError `session/store`."""

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder or folder_of()

    def load(self, server: str, principal: str) -> Login | None:
        """The login of a principal at a server, None if there is none."""
        path = self._path(server, principal)
        if not os.path.lexists(path):
            return None
        self._check_folder()
        import json

        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(path, _reason(error)) from None
        with open(handle, "rb") as file:
            _check(path, os.fstat(handle))
            try:
                fields = json.loads(file.read(1 << 20))
            except (ValueError, OSError, RecursionError):
                fields = None
        if not isinstance(fields, dict) or any(not isinstance(fields.get(key), kind) for key, kind in _FIELDS.items()):
            raise _unusable(path, "it is damaged", f"delete {path} and log in again")
        if (fields["server"], fields["principal"]) != (server, principal):
            raise _unusable(path, "it is of another login")
        return Login(fields)

    def save(self, login: Login) -> None:
        """Write a login, in place of the one before."""
        import json
        import tempfile

        path = self._path(login.server, login.principal)
        self._make_folder()
        try:
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self.folder)  # 0600 from the beginning
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump({key: login.fields[key] for key in _FIELDS}, file)
                    file.flush()
                    os.fsync(handle)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError as error:
            raise _unusable(path, f"it cannot be written: {_reason(error)}") from None

    def delete(self, server: str, principal: str) -> bool:
        """Forget a login; whether there was one."""
        if not os.path.isdir(self.folder):
            return False
        self._check_folder()
        try:
            os.unlink(self._path(server, principal))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self.folder, _reason(error)) from None
        return True

    def alone(self, server: str, principal: str) -> AbstractAsyncContextManager[None]:
        """An async context manager: among all processes, the only one inside for this login. Waits for at most
        `LOCK_SECONDS`."""
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def inside() -> AsyncIterator[None]:
            import asyncio
            import fcntl
            from time import monotonic

            self._make_folder()
            path = self._path(server, principal).removesuffix(".json") + ".lock"
            until = monotonic() + LOCK_SECONDS
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                while True:
                    try:
                        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        if monotonic() > until:
                            raise _unusable(path, "another process holds it") from None
                    await asyncio.sleep(0.05)
                yield
            finally:
                os.close(handle)  # unlocks

        return inside()

    def _path(self, server: str, principal: str) -> str:
        from hashlib import sha256

        name = sha256(f"{server}\0{principal}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return os.path.join(self.folder, name + ".json")

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unusable(self.folder, _reason(error)) from None
        self._check_folder()

    def _check_folder(self) -> None:
        _check(self.folder, os.lstat(self.folder), folder=True)


def _check(path: str, found: os.stat_result, *, folder: bool = False) -> None:
    """Refuse what others may look into."""
    import stat

    if not (stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)):
        raise _unusable(path, "it is not a folder" if folder else "it is not a file")
    if found.st_uid != os.geteuid():
        raise _unusable(path, "it belongs to another user")
    if found.st_mode & 0o077:
        mode = "700" if folder else "600"
        what = "others may look into it" if folder else "others may read it"
        raise _unusable(
            path, what, f"chmod {mode} {path}; if another user may have read the tokens, log out and in again"
        )


def _unusable(path: str, why: str, hint: str | None = None) -> SessionError:
    return SessionError(f"the stored login {one_line(path, 200)} is not used: {why}", code="session/store", hint=hint)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
