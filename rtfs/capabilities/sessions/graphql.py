"""GraphQL over HTTP as a provider of sessions: a second handler beside MCP, on nothing but the contract in `handler`.

Must not know the pool or MCP. Invariants: queries may be repeated, mutations may not; the credential goes to the
capability's own URL only and appears in no error.

Metadata, flattened under the handler's name: `graphql_server_url`, `_query` (the document), `_operation` (which one of
it), `_auth_env_var`; for servers with a login: `_login` (a mutation that takes `$token`), `_session_path` (where its
answer holds the session's token, `login.token`), `_logout` (a mutation that ends the session).

Source: GraphQL over HTTP (application/json), GraphQL specification section 7 (Response).
"""

from __future__ import annotations

import re
from itertools import count

from rtfs.capabilities.sessions.handler import (
    Credential,
    MaybeSent,
    NotSent,
    Session,
    SessionError,
    SessionExpired,
    SessionKey,
    fingerprint,
    one_line,
)
from rtfs.capabilities.sessions.wire.arguments import encode_checked, plain_arguments
from rtfs.capabilities.sessions.wire.http import (
    WebClient,
    authorization,
    body_of,
    retry_after,
    unauthorized,
)
from rtfs.capabilities.sessions.wire.json import parse
from rtfs.values import Keyword, Map, from_python
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall

_OPERATION = re.compile(r"\s*(?:#[^\n]*\n\s*)*(\w+|\{)")


class GraphqlSession(Session):
    """One endpoint for one caller. credential: the caller's own, or the one that the login gave."""

    def __init__(self, label: str, credential: Any, *, logged_in: bool) -> None:
        self.label = label
        self.credential = credential
        self.logged_in = logged_in
        self.logout: tuple[SessionCall, str] | None = None


class GraphqlHandler:
    """name: what prefixes the metadata keys. largest: bytes of an answer."""

    named_arguments = True
    """Calls take one map; the host refuses arguments by position before a session is made."""

    def __init__(self, *, name: str = "graphql", largest: int = 64 * 2**20) -> None:
        self.name = name
        self.largest = largest
        self._client = WebClient()
        self._numbers = count(1)

    def session_key(self, call: SessionCall) -> SessionKey:
        url = self._url(call.metadata)
        shown = url.partition("?")[0]
        return SessionKey(shown, fingerprint(call.secret), call.principal, fingerprint(url, self._get(call, "login")))

    def credential_env(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The environment variables that may hold the credential."""
        named = metadata.get(f"{self.name}_auth_env_var")
        return (str(named),) if named else (f"{self.name}_auth_token".upper(),)

    def requirements(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The grants that calling an untrusted declaration needs."""
        import httpx

        named = metadata.get(f"{self.name}_auth_env_var")
        return (f"net:{httpx.URL(self._url(metadata)).host}", *((f"env:{named}",) if named else ()))

    async def initialize_session(self, call: SessionCall) -> Session:
        """Log in, where the capability says how; else ask the server whether it speaks GraphQL at all."""
        label = f"{self.name}#{next(self._numbers)}"
        login = self._get(call, "login")
        if login is None:
            await self._post(call, call.credential, {"query": "{ __typename }"}, in_session=False)
            return GraphqlSession(label, call.credential, logged_in=False)
        answer = await self._post(
            call, call.credential, {"query": login, "variables": {"token": call.secret}}, in_session=False
        )
        for step in (self._get(call, "session_path") or "login.token").split("."):
            answer = answer.get(step) if isinstance(answer, dict) else None
        if not isinstance(answer, str):
            raise SessionError("the login gave no session", code="session/none")
        session = GraphqlSession(label, Credential(answer, "the login"), logged_in=True)
        logout = self._get(call, "logout")
        session.logout = (call, logout) if logout is not None else None
        return session

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        """Run the capability's document with the arguments as variables; answers `data`, keys as keywords."""
        assert isinstance(session, GraphqlSession)
        variables = plain_arguments(call.arguments, call.optional_keys)
        body: dict[str, Any] = {"query": self._document(call), "variables": variables}
        operation = self._get(call, "operation")
        if operation is not None:
            body["operationName"] = operation
        data = await self._post(call, session.credential, body, in_session=session.logged_in)
        return from_python(data, keywords=True)

    async def terminate_session(self, session: Session) -> None:
        """Log out, if there was a login that the server still knows."""
        assert isinstance(session, GraphqlSession)
        if session.logout is not None and not session.expired:
            call, document = session.logout
            await self._post(call, session.credential, {"query": document}, in_session=True)

    async def idempotent(self, session: Session, call: SessionCall) -> bool:
        """Queries can be repeated."""
        found = _OPERATION.match(self._document(call))
        return found is not None and found[1] in ("query", "{", "fragment") and "mutation" not in self._document(call)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _post(self, call: SessionCall, credential: Any, body: dict[str, Any], *, in_session: bool) -> Any:
        """The `data` of an answer. Raises HostError for errors in it, or the signal that a status means."""
        import httpx

        content = encode_checked(body)
        headers = [(b"Content-Type", b"application/json"), (b"Accept", b"application/json")]
        if credential is not None:
            headers.append((b"Authorization", authorization(credential).encode("ascii")))
        url = httpx.URL(self._url(call.metadata))
        server = str(url).partition("?")[0]
        response = await self._client.send("POST", url, headers, content)
        try:
            fields, status = response.fields, response.status_code
            try:
                raw = await body_of(response, self.largest)
                answer = parse(raw)
            except ValueError:
                answer = None
            except SessionError:
                raise
            except Exception as error:
                raise self._client.failure(error, url) from error
        finally:
            response.close()
        answer = answer if isinstance(answer, dict) else {}
        errors = answer.get("errors")
        if status == 401 or _unauthenticated(errors):
            refused = unauthorized(fields, server, call.credential)
            raise SessionExpired(refused) if in_session else refused
        if status == 429 or (status == 503 and "retry-after" in fields):
            busy = SessionError(f"{server} is rate limiting requests ({status})", code="session/rate-limited")
            raise NotSent(busy, retry_after=retry_after(fields))
        if errors:
            raise _failed(errors, answer.get("data"))
        if status >= 500:
            raise MaybeSent(SessionError(f"{server} answered {status}", code="session/unavailable"))
        if "data" not in answer:
            raise SessionError(f"{server} does not answer as a GraphQL server does ({status})")
        return answer["data"]

    def _url(self, metadata: Mapping[str, Any]) -> str:
        url = str(metadata.get(f"{self.name}_server_url") or metadata.get(f"{self.name}_url") or "")
        if not url.startswith(("http://", "https://")) or "@" in url.partition("://")[2].partition("/")[0]:
            raise SessionError("the capability's metadata name no GraphQL URL", code="session/target")
        return url

    def _get(self, call: SessionCall, key: str) -> str | None:
        value = call.metadata.get(f"{self.name}_{key}")
        return None if value is None else str(value)

    def _document(self, call: SessionCall) -> str:
        document = self._get(call, "query")
        if document is None:
            raise SessionError("the capability's metadata hold no :query", code="session/target")
        return document


def _unauthenticated(errors: Any) -> bool:
    codes = [e.get("extensions", {}).get("code") for e in errors or () if isinstance(e, dict)]
    return "UNAUTHENTICATED" in codes


def _failed(errors: Any, data: Any) -> HostError:
    texts = [str(e.get("message")) for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    pairs = [(Keyword("errors"), from_python(errors, keywords=True))]
    if data is not None:
        pairs.append((Keyword("partial"), from_python(data, keywords=True)))
    return HostError(one_line("; ".join(texts) or "the operation failed", 1000), data=Map(pairs))
