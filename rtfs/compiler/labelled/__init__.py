"""The third way of running analysed code: closures whose values carry labels, for runs under flow rules.

Knows nothing of rules or hosts. Values are plain: standard functions get them as usual, and the labels of their results
are computed separately (see moves.py). Invariants: both kinds of closures return the same values and errors; a label
never misses a source.
"""
