def wall(x, y):
    return x % 3 == 0 and y % 4 != 0


def search():
    queue = [((1, 1), 0)]
    seen = {(1, 1)}
    while queue:
        (x, y), steps = queue.pop(0)
        if (x, y) == (11, 10):
            return steps
        for a, b in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if 0 <= a < 12 and 0 <= b < 12 and not wall(a, b) and (a, b) not in seen:
                seen.add((a, b))
                queue.append(((a, b), steps + 1))
    return "none"


result = search()
