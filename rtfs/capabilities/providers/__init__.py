"""Implementations of the bundled `ccos.*` capabilities, by topic. Each function takes RTFS values and returns one."""
