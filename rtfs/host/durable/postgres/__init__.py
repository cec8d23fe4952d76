"""Durable runs in PostgreSQL, for one process or for workers on many machines."""
