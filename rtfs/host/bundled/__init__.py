"""The capabilities and the prelude that every runtime has."""
