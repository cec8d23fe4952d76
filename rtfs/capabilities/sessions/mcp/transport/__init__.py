"""Transports of messages to an MCP server: Streamable HTTP and stdio, behind one `Channel`.

Knows nothing of tools. Invariant: a channel that is closed leaves no task, connection or process."""
