groups = {}
for order in get("orders"):
    if order["status"] == "open":
        groups.setdefault(order["user"], []).append({**order, "total": order["price"] * order["count"]})
result = {
    user: {
        "lines": len(lines),
        "items": ", ".join(sorted(line["item"] for line in lines)),
        "total": sum(line["total"] for line in lines),
    }
    for user, lines in groups.items()
}
