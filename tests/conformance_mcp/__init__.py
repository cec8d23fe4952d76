"""The official MCP conformance suite, run against a client that is an RTFS plan; see docs/mcp-conformance.md."""
