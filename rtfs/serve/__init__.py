"""Serving plans to models and people over MCP: `rtfs mcp serve`.

A thin shell over `Runtime`: every call that a served plan makes goes through the same pipeline, rules and ledger.
"""
