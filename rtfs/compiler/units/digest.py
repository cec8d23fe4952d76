"""BLAKE2b of 32 bytes, without the cost of importing OpenSSL through hashlib. The ledger uses the same library."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python without it of its own
    from hashlib import blake2b

__all__ = ["hasher"]


def hasher(content: bytes = b"") -> blake2b:
    """The hash of some bytes, to which more can be added with `update`."""
    return blake2b(content, digest_size=32)
