"""Static analysis of programs: types, effects, calls, and the diagnostics that follow from them.

Knows nothing of terminals and never runs a program. Invariant: an error is reported only for what fails in every run
that gets there and that nothing in the program catches; everything less certain is a warning.
"""
