page = get("page")
words = [w for w in page.lower().split(" ") if len(w) > 3]
counted = {}
for w in words:
    counted[w] = counted.get(w, 0) + 1
top = sorted(counted.items(), key=lambda e: (-e[1], e[0]))[:3]
put({"top": [w for w, n in top]})
result = [{"word": w, "n": n} for w, n in top]
