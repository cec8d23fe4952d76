"""`rtfs.yaml`: its model, and errors with a place in the file."""
