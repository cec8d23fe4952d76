"""The second way of running analysed code: a tree of closures, for what runs once.

Knows nothing of text or of the machine. Compiling a form to Python costs more than running it once, so a text that is
not kept on disk becomes closures; a function or loop of it that gets hot is compiled (see hot.py) and replaced while
the program runs. Invariant: both ways give the same values, effects, errors and places; what a builtin or a special
form means is said elsewhere, once.
"""
