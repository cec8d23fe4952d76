"""Labels of values: where a value comes from, what decided about it, and who may read it.

Knows nothing of programs or hosts. Invariant: joining labels loses no source and adds no reader.
"""
