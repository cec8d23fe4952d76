"""Errors of a running program: translated from Python, located, and worded for the argument at fault."""
