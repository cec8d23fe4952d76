"""Access to the console: one-time links, access tokens, sessions in cookies, and what each may see and answer.

Must not know pages or runs. Invariants: a link works once; what the browser keeps opens this console and
nothing else, and is not readable by scripts; a request that changes something carries what only a page of ours knows;
nothing secret is compared in a time that depends on it, or kept as it is.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from time import monotonic, time

from rtfs.serve.callers import token_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from mcp.server.auth.provider import AccessToken

LIFE = 12 * 3_600.0
"""Seconds that a session lasts."""
SESSIONS = 1_000
"""Sessions at the same time; the oldest goes."""
LOOK, APPROVE = "rtfs:console", "rtfs:approve"
"""Scopes of tokens: to see one's own runs; to see all runs, and answer for them."""


class Viewer:
    """A person who views the console. name: for people. principal: the one whose runs may be seen; None for all runs.
    answers: whether the person may answer approvals. token: the digest of the access token, or "". issued: when that
    was issued, in seconds since 1970."""

    __slots__ = ("answers", "issued", "name", "principal", "token")

    def __init__(
        self, name: str, principal: str | None, answers: bool, token: str = "", issued: float | None = None
    ) -> None:
        self.name = name
        self.principal = principal
        self.answers = answers
        self.token = token
        self.issued = issued


class Session:
    """A browser that was let in. csrf: what its forms carry. until: when it ends, of time.monotonic()."""

    __slots__ = ("csrf", "until", "viewer")

    def __init__(self, viewer: Viewer, seconds: float) -> None:
        self.viewer = viewer
        self.csrf = secrets.token_urlsafe(32)
        self.until = monotonic() + seconds


class Access:
    """answers: whether this console takes answers at all. verify: reads access tokens; None if there are none.
    show_link: called with a new one-time token whenever one is needed; None if it cannot be shown. person: who sees
    it."""

    def __init__(
        self,
        answers: bool,
        verify: Callable[[str], Awaitable[AccessToken | None]] | None = None,
        show_link: Callable[[str], None] | None = None,
        person: str = "local",
    ) -> None:
        self.answers = answers
        self.verify = verify
        self._show_link = show_link
        self._person = person
        self._link = ""
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def offer_link(self) -> None:
        """Make a one-time token, and have it shown; the one before counts no more."""
        if self._show_link is not None:
            token = secrets.token_urlsafe(32)
            self._link = token_digest(token)
            self._show_link(token)

    def enter_by_link(self, token: str) -> str | None:
        """The cookie of the session that a one-time token opens; None for one that does not count."""
        if not self._link or not hmac.compare_digest(token_digest(token), self._link):
            return None
        self._link = ""
        cookie = self._open(Viewer(self._person, None, self.answers), LIFE)
        self.offer_link()
        return cookie

    async def enter_by_token(self, token: str) -> str | None:
        """The cookie of the session that an access token opens; None for one that may not look."""
        found = await self._read(token)
        if found is None:
            return None
        viewer, expires = found
        return self._open(viewer, LIFE if expires is None else min(LIFE, max(expires - time(), 0.0)))

    async def viewer_of_token(self, token: str) -> Viewer | None:
        """On whose behalf a request with a bearer token is; None for one that may not look."""
        found = await self._read(token)
        return None if found is None else found[0]

    def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None for one that has ended or never was."""
        key = token_digest(cookie or "")
        found = self._sessions.get(key)
        if found is None:
            return None
        if found.until < monotonic():
            del self._sessions[key]
            return None
        return found

    def leave(self, cookie: str | None) -> None:
        """End the session of a cookie."""
        self._sessions.pop(token_digest(cookie or ""), None)

    def _open(self, viewer: Viewer, seconds: float) -> str:
        cookie = secrets.token_urlsafe(32)
        while len(self._sessions) >= SESSIONS:
            self._sessions.popitem(last=False)
        self._sessions[token_digest(cookie)] = Session(viewer, seconds)
        return cookie

    async def _read(self, token: str) -> tuple[Viewer, float | None] | None:
        """The rights that an access token grants, and its expiry."""
        known = None if self.verify is None else await self.verify(token)
        if known is None or not known.subject:
            return None
        scopes = set(known.scopes)
        if not scopes & {LOOK, APPROVE}:
            return None
        all_runs = APPROVE in scopes
        claims: dict[str, Any] = known.claims or {}
        issued = claims.get("iat")
        viewer = Viewer(
            known.subject,
            None if all_runs else f"oauth:{known.subject}",
            self.answers and all_runs,
            token_digest(token),
            float(issued) if isinstance(issued, (int, float)) else None,
        )
        return viewer, known.expires_at


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
