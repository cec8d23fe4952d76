"""Tests that need other environments than the project's own: npm, other versions of the SDKs. `.ci/full` runs them."""
