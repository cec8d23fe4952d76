"""A PostgreSQL database that many hosts share: connections that come back, its schema, and commits for many runs."""
