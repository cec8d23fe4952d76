def fetch(name, default):
    try:
        return get(name)
    except ValueError:
        return default


user = fetch("user", {})
city = (user.get("cities") or [None])[0]
limit = user.get("limit", 100)
missing = fetch("no-such-list", [])
events = fetch("events", [])
counts = {}
for event in events:
    counts[event["kind"]] = counts.get(event["kind"], 0) + 1
if not missing and counts.get("order", 0) > 1:
    put({"name": user["name"], "orders": counts.get("order")})
first = events[0] if events else None
if isinstance(first, dict) and first["kind"] == "order" and first["amount"] > 200:
    result = ["large", first["amount"], city, limit]
elif isinstance(first, dict) and "kind" in first:
    result = ["other", first["kind"], city, limit]
else:
    result = ["nothing", None, city, limit]
