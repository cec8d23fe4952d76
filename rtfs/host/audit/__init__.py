"""What a run did, as typed events, and the hash-chained ledger that records them."""
