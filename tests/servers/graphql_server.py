"""A GraphQL server over HTTP for tests: graphql-core answers, a login gives sessions that can be made to expire."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from graphql import build_schema, graphql

SCHEMA = build_schema("""
type Issue { number: Int!, title: String! }
type Session { token: String! }
type Query { issues(first: Int): [Issue!]!, broken: Int }
type Mutation { login(token: String!): Session!, logout: Boolean!, addIssue(title: String!): Issue! }
""")


class GraphqlServer:
    """sessions: valid tokens. secret: what a login takes. requests: documents. faults: statuses for the next ones."""

    def __init__(self, secret: str = "gql-secret") -> None:
        self.secret = secret
        self.sessions: set[str] = set()
        self.opened = 0
        self.requests: list[str] = []
        self.faults: list[int] = []
        self.titles = ["one", "two"]
        self.url = ""

    async def __aenter__(self) -> GraphqlServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/graphql"
        return self

    async def __aexit__(self, *caught: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.split("\r\n")[1:])}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.requests.append(body["query"])
                status, answer = await self._answer(body, headers.get("authorization", ""))
                raw = json.dumps(answer).encode()
                line = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
                writer.write(line.encode() + raw)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, body: dict[str, Any], authorization: str) -> tuple[int, Any]:
        if self.faults:
            return self.faults.pop(0), {}
        token = authorization.removeprefix("Bearer ")
        if "login" not in body["query"] and token not in self.sessions:
            return 200, {"errors": [{"message": f"who are you, {token}?", "extensions": {"code": "UNAUTHENTICATED"}}]}
        root = {"issues": self._issues, "broken": self._broken, "login": self._login, "addIssue": self._add}
        root["logout"] = lambda info: self.sessions.discard(token) or True
        result = await graphql(SCHEMA, body["query"], root, variable_values=body.get("variables"))
        return 200, result.formatted

    def _issues(self, info: Any, first: int | None = None) -> list[dict[str, Any]]:
        return [{"number": n, "title": title} for n, title in enumerate(self.titles, 1)][:first]

    def _broken(self, info: Any) -> int:
        raise ValueError("the tracker is out of order")

    def _add(self, info: Any, title: str) -> dict[str, Any]:
        self.titles.append(title)
        return {"number": len(self.titles), "title": title}

    def _login(self, info: Any, token: str) -> dict[str, str]:
        if token != self.secret:
            raise PermissionError("wrong token")
        self.opened += 1
        self.sessions.add(f"session-{self.opened}")
        return {"token": f"session-{self.opened}"}
