"""The record of a run: typed events, and the hash-chained ledger that stores them."""
