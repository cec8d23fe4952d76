values, order, hits, misses = {}, [], 0, 0
for i in range(200):
    k = i * i % 13
    if k in values:
        order.remove(k)
        order.append(k)
        hits += 1
    else:
        if len(order) >= 8:
            values.pop(order.pop(0))
        values[k] = k * k
        order.append(k)
        misses += 1
result = [hits, misses]
