def cost_of(order):
    return order["price"] * order["count"]


left = 300
bought = []
result = None
for order in sorted(get("orders"), key=cost_of):
    cost = cost_of(order)
    if cost > left:
        result = {"left": left, "bought": bought, "first-missing": order["id"]}
        break
    put({"order": order["id"], "cost": cost})
    left -= cost
    bought.append(order["id"])
if result is None:
    result = {"left": left, "bought": bought}
