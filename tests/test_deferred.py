"""Modules that are loaded when something of theirs is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs.deferred import Deferred


def test_a_deferred_module_is_imported_when_something_of_it_is_first_used():
    source = """
import sys
from rtfs.deferred import Deferred
later = Deferred("colorsys")
before = "colorsys" in sys.modules
found = later.rgb_to_hsv
import colorsys
print(before, found is colorsys.rgb_to_hsv)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_deferred_module_lacks_what_the_module_lacks():
    with pytest.raises(AttributeError):
        _ = Deferred("colorsys").rgb_to_nothing
