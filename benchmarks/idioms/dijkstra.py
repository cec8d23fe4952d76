graph = {i: {(i + 1) % 24: i * 7 % 5 + 1, i * 5 % 24: 2 + i % 3, (i + 11) % 24: 9} for i in range(24)}
result = {0: 0}
opened, done = {0}, set()
while opened:
    node = min(opened, key=lambda one: result[one])
    opened.discard(node)
    done.add(node)
    for to, weight in graph[node].items():
        way = result[node] + weight
        if way < result.get(to, 1000000):
            result[to] = way
        if to not in done:
            opened.add(to)
