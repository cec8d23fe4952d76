"""Data nested very deep is made, compared, hashed, sorted, converted and freed without recursion.

In a process of its own: what fails here fails with a signal.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

SHAPES = {
    "vectors": "v = Vector.of([v])",
    "lists": "v = List().cons(v)",
    "maps": "v = Map({'a': v, 'b': 1})",
    "mixed": "v = Vector([1, Map({1.0: List([v])})])",
}
CHECK = """
import gc, sys
sys.setrecursionlimit(900_000)
gc.disable()  # it has no part in this, and would take most of the time
from rtfs.values import *

def make(n):
    v = None
    for _ in range(n):
        {step}
    return v

a, b, c = make(100_000), make(100_000), make(100_001)
assert equal(a, b) and not equal(a, c) and hash(a) == hash(b) and compare(a, b) == 0 and compare(a, c) != 0
assert len(sorted_values([c, a, b])) == 3
assert equal(from_python(to_python(make(100_000))), a)
d = Map([(a, 1)])
assert d.get(b) == 1 and d.get(c) is None
del a, b, c, d
v = make(1_000_000)
del v
print("fine")
"""
KEYS = """
import sys
sys.setrecursionlimit(150)
from rtfs.values import *

def make(n):
    m = Map()
    for i in range(n):
        m = Map([(m, 1), (Vector([i]), 2)])
    return m

a, b = make(400), make(400)
assert equal(a, b) and hash(a) == hash(b) and Map([(a, 1)]).get(b) == 1
assert not equal(a, make(401))
assert compare(make(50), make(50)) == 0
print("fine")
"""
STORES = """
from rtfs.values import *
v, m = None, None
big, bigger = Vector(range(600)), Map((i, i) for i in range(600))
for _ in range(20_000):
    v, m = big.assoc(5, v), bigger.assoc(5, m)
chain = Vector(range(100))
kept = [chain]
for i in range(100_000):
    chain = chain.assoc(i % 100, kept[-1]) if i % 1000 == 0 else chain.assoc(i % 100, i)
    if i % 1000 == 0:
        kept = [chain]
del v, m, chain, kept
print("fine")
"""


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hundred_thousand_levels(shape: str) -> None:
    program = CHECK.replace("{step}", SHAPES[shape])
    if shape == "mixed":
        program = program.replace("1_000_000", "300_000")
    run(program)


def test_maps_as_keys_of_maps() -> None:
    run(KEYS)


def test_stores_within_stores_are_freed() -> None:
    run(STORES)
