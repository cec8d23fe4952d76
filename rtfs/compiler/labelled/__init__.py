"""The third way of running analysed code: closures whose values carry labels, for runs under flow rules.

Knows nothing of rules or hosts. Values are the plain ones: standard functions get them as ever, and what their result's
labels are is worked out beside (see moves.py). Invariants: both closures give the same values and errors; a label never
misses a source.
"""
