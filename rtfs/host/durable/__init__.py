"""Durable runs: journals, replay, recordings, resume."""
