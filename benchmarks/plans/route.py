def handle(event):
    kind = event["kind"]
    if kind == "order":
        a = event["amount"]
        if a > 100:
            return ["review", a]
        return ["accept", a]
    if kind == "refund":
        return ["refund", event["reason"].upper()]
    return ["ignore", None]


events = get("events")
handled = [handle(e) for e in events]
counts = {}
for what, detail in handled:
    counts[what] = counts.get(what, 0) + 1
for what, detail in handled:
    if what == "review":
        put({"review": detail})
result = [[k, v] for k, v in counts.items()]
