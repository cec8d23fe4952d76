"""Flow rules: what may become an argument of a call, by where it comes from, what decided it and who may read it."""
