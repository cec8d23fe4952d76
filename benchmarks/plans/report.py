orders = get("orders")
users = get("users")
names = {u["id"]: u["name"] for u in users}
by_user = {}
for o in orders:
    by_user.setdefault(o["user"], []).append(o)
lines = []
for id, os in by_user.items():
    total = 0
    for o in os:
        total = total + o["price"] * o["count"]
    lines.append(names.get(id, "unknown") + ": " + str(len(os)) + " orders, " + str(total))
put({"report": "\n".join(lines)})
result = lines
