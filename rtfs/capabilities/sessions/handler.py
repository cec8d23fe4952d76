"""The contract between the session pool and a provider of sessions: the handler that a provider writes, and the values
that the pool passes to it.

Must not know any provider, protocol or transport, nor the pool. Invariants: a secret never appears in a `repr`, a key
or a label; what a handler raises says whether the request can have reached the server (`NotSent`, `MaybeSent`,
`SessionExpired`), and only the pool decides what follows from that.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from hashlib import blake2b

from rtfs.values.error import HostError

PRINCIPAL, RUN, CALL = "principal", "run", "call"
"""The owner of a session: all runs of a principal share it; each run has one; each call has one."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.questions import Ask

    Progress = Callable[[float, float | None, str | None], None]
    Remember = Callable[[str], Awaitable[None]]

    class TracedRequest(Protocol):
        """A request that was sent."""

        carrier: dict[str, str]
        """The trace context for the server: `traceparent` and others."""

        def end(self, error: str | None) -> None:
            """It has ended. error: what kind of one, None for none."""

    class RequestTrace(Protocol):
        """Traces the requests to a server that one call makes."""

        def begin(self, method: str, tool: str | None, facts: dict[str, Any]) -> TracedRequest:
            """A request is about to be sent. tool: that it calls, if it calls one. facts: attributes by the names of
            OpenTelemetry's conventions."""
else:
    from abc import ABC as Protocol  # a Protocol to checkers; `typing` would cost milliseconds

_PROCESS_KEY = os.urandom(32)


class SessionError(HostError):
    """A session could not be had or a call through it did not succeed. Codes are `session/…`."""

    def __init__(self, message: str, *, code: str = "session/protocol", **fields: Any) -> None:
        super().__init__(message, code=code, **fields)


class Credential:
    """A resolved secret with the name it was found under. `repr`, `str` and comparison never show the value.

    value: what is sent. name: the environment variable or store entry it came from, for messages. hint: what to do
    where it is not accepted.
    """

    __slots__ = ("hint", "name", "value")

    def __init__(self, value: str, name: str | None = None, hint: str | None = None) -> None:
        self.value = value
        self.name = name
        self.hint = hint

    def __repr__(self) -> str:
        return f"<credential {self.name or 'without a name'}>"

    def hint_for(self, scopes: str) -> str | None:
        """A hint for the case that the server accepts the credential but requires more scopes; None if there is none.
        scopes: the missing scopes, separated by spaces."""
        return None

    def redact(self, text: str) -> str:
        """The text with every occurrence of the secret (and of its part after a scheme) replaced by `***`."""
        for secret in (self.value, self.value.partition(" ")[2]):
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return text


def fingerprint(*secrets: str | None) -> str:
    """A short name for a secret that cannot be turned back into it: a hash with a new key in each process. "" for
    none."""
    if not any(secrets):
        return ""
    digest = blake2b(digest_size=8, key=_PROCESS_KEY)
    for secret in secrets:
        raw = (secret or "").encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def one_line(text: str, limit: int = 300) -> str:
    """Foreign text made safe for one line of a terminal: no control characters, at most `limit` characters."""
    if text.isprintable() and len(text) <= limit and "  " not in text and text.strip() == text:
        return text
    clean = "".join(c if c.isprintable() else " " for c in text[: limit * 4])
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


class SessionKey:
    """Identifies a session: one server, one credential, one principal. Hashable; holds no secret.

    server: what is connected to, without user info or query (it is shown). identity: what else tells servers apart and
    is not shown. fingerprint: of the credential (`fingerprint(…)`). label: server and principal for people, one line.
    """

    __slots__ = ("_hash", "fingerprint", "identity", "label", "principal", "server")

    def __init__(self, server: str, fingerprint: str = "", principal: str = "", identity: str = "") -> None:
        self.server = server
        self.fingerprint = fingerprint
        self.principal = principal
        self.identity = identity
        self.label = one_line(f"{server} ({principal})" if principal else server)
        self._hash = hash((server, fingerprint, principal, identity))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SessionKey)
            and self.server == other.server
            and self.fingerprint == other.fingerprint
            and self.principal == other.principal
            and self.identity == other.identity
        )

    def __repr__(self) -> str:
        return f"<session key {self.label}>"


class SessionCall:
    """One call on its way to a provider.

    capability_id: its id. metadata: the flat metadata (`{"mcp_server_url": "…"}`). arguments: an RTFS map, or a
    vector of positional arguments. principal: for whom. credential: resolved, or None. deadline: `time.monotonic()`
    seconds, or None. idempotent: doing it twice is like doing it once (the manifest says so). idempotency_key: sent
    where the protocol has a place for it. progress: called with (done, total or None, message or None).
    optional_keys: names of the input schema's optional keys, without colons. ask: `await call.ask(Question)` returns
    a person's answer to a question of the server (the time it takes is not the call's); None: no person is there.
    logins: whether the principal's stored login at the server may be used where there is no credential. run_id: of the
    run that calls, "" outside of a run. scope: whose session it is, `principal`, `run` or `call`; None: as the handler
    says. remember: `await call.remember(text)` keeps a note about the call before it is waited for, such as the id of a
    task at the server; remembered: the note of an earlier attempt, maybe in another process, or None. take_time: set by
    the pool: the pool's own limit for a call counts no more, for the handler has begun something that takes its time.
    trace: told of each request to the server, or None.
    """

    __slots__ = (
        "arguments", "ask", "capability_id", "credential", "deadline", "idempotency_key", "idempotent", "logins",
        "metadata", "optional_keys", "principal", "progress", "remember", "remembered", "run_id", "scope", "take_time",
        "trace",
    )  # fmt: skip

    def __init__(
        self,
        capability_id: str,
        metadata: Mapping[str, Any],
        arguments: Any,
        *,
        principal: str = "",
        credential: Credential | str | None = None,
        deadline: float | None = None,
        idempotent: bool = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        optional_keys: frozenset[str] = frozenset(),
        ask: Ask | None = None,
        logins: bool = False,
        run_id: str = "",
        scope: str | None = None,
        remember: Remember | None = None,
        remembered: str | None = None,
    ) -> None:
        self.capability_id = capability_id
        self.metadata = metadata
        self.arguments = arguments
        self.principal = principal
        self.credential = Credential(credential) if isinstance(credential, str) else credential
        self.deadline = deadline
        self.idempotent = idempotent
        self.idempotency_key = idempotency_key
        self.progress = progress
        self.optional_keys = optional_keys
        self.ask = ask
        self.logins = logins
        self.run_id = run_id
        self.scope = scope
        self.remember = remember
        self.remembered = remembered
        self.take_time: Callable[[], None] | None = None
        self.trace: RequestTrace | None = None

    @property
    def secret(self) -> str | None:
        """The credential's value, or None."""
        return None if self.credential is None else self.credential.value

    def until(self, deadline: float | None) -> SessionCall:
        """The same call with another deadline and no listener to its progress (for opening a session, which may see in
        `ask` whether a person can be asked later, and asks nothing itself)."""
        found = self._copy()
        found.deadline, found.progress = deadline, None
        return found

    def _copy(self) -> SessionCall:
        """The same call; `copy.copy` would take five times as long, for each call."""
        found = SessionCall.__new__(SessionCall)
        for name in SessionCall.__slots__:
            setattr(found, name, getattr(self, name))
        return found

    def asking(self, ask: Ask | None) -> SessionCall:
        """The same call with another way to ask."""
        found = self._copy()
        found.ask = ask
        return found

    def remembering(self, remember: Remember, remembered: str | None) -> SessionCall:
        """The same call with a place for notes, and the note that is there."""
        found = self._copy()
        found.remember, found.remembered = remember, remembered
        return found

    def __repr__(self) -> str:
        return f"<session call {self.capability_id}>"


class Session:
    """A session, as a handler's `initialize_session` returns it. Handlers subclass it and keep their state in it.

    label: how events and `-v` name it. usable: False once the other side is known to be gone (the pool then gives it
    to no call). expired: set by the pool when the server no longer knows it, before `terminate_session`. silence: why a
    call may have had no answer in time, for its hint; "" if nothing is known.
    """

    label: str = "session"
    usable: bool = True
    expired: bool = False
    silence: str = ""


class _Signal(Exception):
    """An exception that a handler raises to tell the pool why a call failed. `error`: the error for the caller if the
    pool gives up."""

    def __init__(self, error: HostError | str, *, retry_after: float | None = None) -> None:
        self.error = SessionError(error, code=self.default_code) if isinstance(error, str) else error
        self.retry_after = retry_after
        super().__init__(self.error.message)

    default_code = "session/unavailable"


class NotSent(_Signal):
    """The server has certainly not acted on the call: sending it again is safe.

    retry_after: seconds the server asks to wait first, or None.
    """


class MaybeSent(_Signal):
    """The call may have reached the server, and its outcome is unknown: only idempotent calls are repeated."""

    default_code = "session/outcome-unknown"


class SessionExpired(_Signal):
    """The server no longer knows the session and has not acted on the call: a new session, then once more."""

    default_code = "session/expired"


class SessionHandler(Protocol):
    """The one interface that a provider of sessions implements.

    Optional extras, found with `getattr`: `credential_env(metadata) -> sequence of environment variable names`,
    `requirements(metadata) -> iterable of grants` (`net:HOST`, `env:NAME`, `exec:COMMAND`), `idempotent(session, call)`
    (async; the server's own word that a call can be repeated), `session_scope(call)` (whose a session is: `principal`,
    `run` or `call`), `session_restorable(call)` (a resumed run may go on in a new session), `close()` (async; after the
    last session), `on_secret` (an attribute that the host sets to a function to be told of each secret that the handler
    comes by on its own), `login(metadata, principal)` (how long a stored login lasts, for people, or None).
    """

    @abstractmethod
    def session_key(self, call: SessionCall) -> SessionKey:
        """The key of the session that serves this call. Must not wait or do I/O. Raises HostError for unusable
        metadata."""

    @abstractmethod
    async def initialize_session(self, call: SessionCall) -> Session:
        """Open a session; cleans up after itself when cancelled. Raises HostError, NotSent or MaybeSent."""

    @abstractmethod
    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        """Perform the call, answer an RTFS value. Cancelled when the call's time is up: then tell the server.

        Raises HostError for an answer that is an error, else NotSent, MaybeSent or SessionExpired.
        """

    @abstractmethod
    async def terminate_session(self, session: Session) -> None:
        """End the session, politely if the server is there. Called once a session. What it raises is only noted."""


def as_host_error(error: BaseException, doing: str) -> HostError:
    """The error that a caller sees for any exception of a handler."""
    if isinstance(error, _Signal):
        return error.error
    if isinstance(error, HostError):
        return error
    failure = SessionError(f"the session handler failed {doing}: {type(error).__name__}", code="session/handler")
    failure.__cause__ = error
    return failure


def wrong_answer(method: str, found: object, wanted: str) -> SessionError:
    """The error of a handler whose method answers something else than it has to."""
    kind = "nothing" if found is None else f"a {type(found).__name__}"
    return SessionError(f"the session handler's {method} answered {kind} instead of {wanted}", code="session/handler")


def awaitable(found: Any, method: str) -> Any:
    """The result of a handler's asynchronous method, which must be awaitable. Raises SessionError `session/handler`."""
    if hasattr(found, "__await__"):
        return found
    error = wrong_answer(method, found, "something to await")
    error.hint = f"is it `async def {method}`?"
    raise error


def fresh(error: HostError) -> HostError:
    """A copy of an error for one of several callers: each caller writes span and trace into its own."""
    copy = error.__class__.__new__(error.__class__, *error.args)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    copy.__cause__ = error.__cause__
    return copy


def scope_of(handler: Any, call: SessionCall) -> str:
    """The owner of the call's session, as the call says, else the handler; by default the principal. Raises
    SessionError for any other word."""
    scope = call.scope
    if scope is None and (ask := getattr(handler, "session_scope", None)) is not None:
        scope = ask(call)
    if scope not in (None, PRINCIPAL, RUN, CALL):
        raise SessionError(f"a session's scope is principal, run or call, not {scope!r}")
    return scope or PRINCIPAL


def is_restorable(handler: Any, call: SessionCall) -> bool:
    """Whether the handler says that a resumed run may go on in a new session."""
    ask = getattr(handler, "session_restorable", None)
    return ask is not None and bool(ask(call))
