def line_total(order):
    return order["price"] * order["count"]


def problems(order, user, stock):
    total = line_total(order)
    free = stock.get(order["item"], 0)
    found = []
    if order["count"] > free:
        found.append("only " + str(free) + " left")
    if total > user["limit"]:
        found.append(str(total) + " is over the limit of " + str(user["limit"]))
    if not user["active"]:
        found.append("the user is not active")
    return found


def describe(order, found):
    if not found:
        return "ordered " + str(order["count"]) + " x " + order["item"]
    return "refused " + order["item"] + ": " + "; ".join(found)


user = get("user")
stock = {s["item"]: s["free"] for s in get("stock")}
orders = get("orders")
checked = [[o, problems(o, user, stock)] for o in orders]
good = [pair for pair in checked if not pair[1]]
spent = 0
for o, found in good:
    spent = spent + line_total(o)
for o, found in good:
    put({"order": o["id"], "total": line_total(o)})
if spent > 1000:
    put({"warn": spent})
result = {"spent": spent, "messages": [describe(o, found) for o, found in checked]}
