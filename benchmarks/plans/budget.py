limit = 500
orders = get("orders")
spent = 0
bought = []
for o in orders:
    cost = o["price"] * o["count"]
    if spent + cost <= limit:
        spent = spent + cost
        bought.append(o["id"])
put({"spent": spent})
result = {"spent": spent, "bought": bought}
