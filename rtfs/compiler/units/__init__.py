"""Compiled units: what they hold, and how they are kept in memory and on disk."""
