orders = [
    {
        "customer": ["ann", "bob", "cleo", "dan"][i % 4],
        "city": ["bonn", "kyiv", "oslo"][i % 3],
        "lines": [{"sku": "a", "price": 3, "n": i % 5}, {"sku": "b", "price": 7, "n": 1}],
    }
    for i in range(120)
]
result = {}
for order in orders:
    total = sum(line["price"] * line["n"] for line in order["lines"])
    book = result.setdefault(order["customer"], {})
    book[order["city"]] = book.get(order["city"], 0) + total
