import json

rows = [
    {
        "id": i,
        "name": f"user{i}",
        "tags": ["a", "b"] if i % 2 else ["c"],
        "score": i * 7 % 50,
        "address": {"city": ["Paris", "Rome", "Oslo"][i % 3], "zip": str(10000 + i)},
    }
    for i in range(150)
]
data = json.loads(json.dumps(rows))
by = {}
for r in data:
    c = r["address"]["city"]
    s = by.setdefault(c, {"n": 0, "total": 0, "names": [], "tags": {}})
    s["n"] += 1
    s["total"] += r["score"]
    if r["score"] > 40:
        s["names"].append(r["name"].upper())
    for t in r["tags"]:
        s["tags"][t] = s["tags"].get(t, 0) + 1
result = [
    [c, by[c]["n"], by[c]["total"], len(by[c]["names"]), sorted([k, v] for k, v in by[c]["tags"].items())]
    for c in sorted(by)
]
