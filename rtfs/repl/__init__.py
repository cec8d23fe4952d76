"""The REPL: reads, runs and prints, at a terminal or from a pipe.

A thin shell over `Runtime`: it must not know how programs run, and decides nothing that the host decides. Invariant:
nothing that is typed ends it but `:quit` and the end of the input. prompt_toolkit is known to `terminal` and its
helpers only, and imported when a terminal is really there.
"""
