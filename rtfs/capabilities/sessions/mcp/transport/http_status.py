"""The meaning of an HTTP status other than 200 for a call: an error, a wait, a lost session, or an answer after all.

Must not know how requests are sent. Invariants: a status is called expired or unsent only where the server has
certainly not acted on the call; the credential appears in no message, even if the server repeats it.

Source: MCP Streamable HTTP (2025-03-26 to 2026-07-28), RFC 9110 (Retry-After, WWW-Authenticate), RFC 6750.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, SessionExpired, one_line
from rtfs.capabilities.sessions.mcp.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, MODERN_CODES, error_of
from rtfs.capabilities.sessions.wire.http import retry_after, unauthorized
from rtfs.capabilities.sessions.wire.json import parse
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtfs.capabilities.sessions.handler import Credential


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_id: int | str | None,
    in_session: bool,
    server: str,
    credential: Credential | None,
) -> dict[str, Any] | Exception:
    """The JSON-RPC error reply that the body is, if the server answered the request, else the exception to raise.

    request_id: of the request, None for a notification. in_session: a session id was sent. server: for messages.
    """
    message = _json(headers, body)
    error = error_of(message)
    text = _words(message, body, headers)
    if credential is not None:
        text = credential.redact(text)
    said = f": {text}" if text else ""
    if status == 401:
        hint = "set the environment variable that :auth_env_var names, or MCP_AUTH_TOKEN"
        if credential is not None and credential.hint is not None:
            hint = f"{credential.hint}, or {hint}"
        return unauthorized(headers, server, credential, said, hint)
    if status == 403:
        return _forbidden(headers, server, credential, said)
    if status == 429 or (status == 503 and "retry-after" in headers):
        wait = retry_after(headers)
        what = "is rate limiting requests" if status == 429 else "is not available"
        later = "" if wait is None else f", it asks to wait {wait:g} seconds"
        code = "session/rate-limited" if status == 429 else "session/unavailable"
        return NotSent(SessionError(f"{server} {what} ({status}){later}{said}", code=code), retry_after=wait)
    if error is not None and message is not None:
        if request_id is not None and message.get("id") == request_id and not _lost(status, error, text, in_session):
            return message
        if error["code"] in MODERN_CODES or (error["code"] == METHOD_NOT_FOUND and not in_session):
            return message
    if in_session and _forgotten(status, error, text):
        return SessionExpired(
            SessionError(f"{server} does not know the session any more ({status}){said}", code="session/expired")
        )
    if 300 <= status < 400:
        return SessionError(
            f"{server} answers with a redirect ({status}) to {_place(headers)}, which is not followed",
            hint="use that address, if it is the intended server",
        )
    if status == 404:
        return SessionError(f"there is no MCP endpoint at {server} (404){said}", code="session/unavailable")
    if status >= 500:
        return MaybeSent(SessionError(f"{server} answered {status}{said}", code="session/unavailable"))
    if 200 <= status < 300:
        return SessionError(f"{server} accepted the request ({status}) but does not answer it")
    return SessionError(f"{server} refused the request ({status}){said}")


def _forbidden(headers: Mapping[str, str], server: str, credential: Credential | None, said: str) -> SessionError:
    """The error for a 403; it names the scopes that are missing, if that is what is wrong (RFC 6750, 3.1)."""
    from rtfs.capabilities.sessions.oauth.challenge import bearer, scopes_of

    challenge = bearer(headers.get("www-authenticate", ""))
    scopes = " ".join(scopes_of(challenge.get("scope", "")))
    if challenge.get("error") != "insufficient_scope" or not scopes:
        return SessionError(f"{server} forbids this (403){said}", code="session/forbidden")
    return SessionError(
        f"{server} forbids this (403) without the scope {one_line(scopes)}{said}",
        code="session/forbidden",
        hint=None if credential is None else credential.hint_for(scopes),
        data=Map([(Keyword("scope"), scopes[:1000])]),
    )


def _json(headers: Mapping[str, str], body: bytes) -> dict[str, Any] | None:
    if not body or "json" not in headers.get("content-type", "").lower():
        return None
    try:
        value = parse(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _words(message: dict[str, Any] | None, body: bytes, headers: Mapping[str, str]) -> str:
    """The body's message for people, on one line: the message of a JSON error, or plain text; never a page of HTML."""
    if message is not None:
        error = message.get("error")
        inner = error.get("message") if isinstance(error, dict) else None
        for found in (inner, message.get("error_description"), message.get("message"), error):
            if isinstance(found, str) and found:
                return one_line(found)
        return ""
    if headers.get("content-type", "").lower().startswith("text/plain") or not headers.get("content-type"):
        return one_line(body[:2000].decode("utf-8", "replace"))
    return ""


def _forgotten(status: int, error: dict[str, Any] | None, text: str) -> bool:
    """Whether this is how a server says that it does not know the session. 404 is the specification's word; servers
    of the TypeScript and other families say 400 with a JSON-RPC error for no request in particular, or in prose."""
    if status in (404, 410):
        return True
    return status == 400 and (error is not None or "session" in text.lower())


def _lost(status: int, error: dict[str, Any], text: str, in_session: bool) -> bool:
    """Whether an error for this very request says that the session is gone (some servers repeat the request's id)."""
    if not in_session or error["code"] in (METHOD_NOT_FOUND, INVALID_PARAMS):
        return False
    return status in (404, 410) or (status == 400 and "session" in text.lower())


def _place(headers: Mapping[str, str]) -> str:
    target = headers.get("location", "")
    return one_line(target.partition("?")[0], 200) or "nowhere"
