"""The queue of durable runs in a database: who advances which when."""
