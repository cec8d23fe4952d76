def safe(queens, row):
    d = 1
    for q in queens:
        if q == row or abs(q - row) == d:
            return False
        d += 1
    return True


def solve(queens, n):
    if len(queens) == n:
        return 1
    found = 0
    for row in range(n):
        if safe(queens, row):
            found += solve([row] + queens, n)
    return found


result = solve([], 6)
