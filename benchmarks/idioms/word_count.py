seen = {}
for w in " ".join(["the quick brown fox jumps over the lazy dog"] * 60).split(" "):
    seen[w] = seen.get(w, 0) + 1
result = seen
