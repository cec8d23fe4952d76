"""The second way of running analysed code: a tree of closures, for code that runs once.

Knows nothing of text or of the machine. Compiling a form to Python costs more than running it once, so a text that is
not kept on disk becomes closures; a function or loop of it that gets hot is compiled (see hot.py) and replaced while
the program runs. Invariant: both ways have the same values, effects, errors and places; the meaning of builtins and
special forms is defined elsewhere, once.
"""
