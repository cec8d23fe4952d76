things = [{"weight": 3, "worth": 4}, {"weight": 4, "worth": 5}, {"weight": 7, "worth": 10}]
things += [{"weight": 8, "worth": 11}, {"weight": 9, "worth": 13}]
room = 60
best = [0] * (room + 1)
for thing in things:
    weight, worth = thing["weight"], thing["worth"]
    for w in range(room, weight - 1, -1):
        best[w] = max(best[w], worth + best[w - weight])
result = best[room]
