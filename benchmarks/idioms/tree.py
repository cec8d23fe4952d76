def grow(n):
    if n == 0:
        return None
    return [grow(n - 1), n, grow(n - 1)]


def total(t):
    if t is None:
        return 0
    left, v, right = t
    return v + total(left) + total(right)


result = 0
for _ in range(3):
    result += total(grow(7))
