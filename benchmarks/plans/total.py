orders = get("orders")
open_orders = [o for o in orders if o["status"] == "open"]
total = 0
for o in open_orders:
    total = total + o["price"] * o["count"]
put({"orders": len(open_orders), "total": total})
result = {"orders": len(open_orders), "total": total}
