message = {
    "to": {user["id"]: user for user in get("users")}[1]["name"],
    "subject": "Orders of " + get("user")["address"]["city"],
    "lines": [
        str(o["count"]) + " x " + o["item"] + (" (large)" if o["count"] * o["price"] > 200 else "")
        for o in get("orders")
    ],
    "stock": sum(s["free"] for s in get("stock")),
}
result = put(message)
