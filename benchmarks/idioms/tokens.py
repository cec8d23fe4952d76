PRECEDENCE = {"+": 1, "-": 1, "*": 2}


def tokens(text):
    found, number = [], ""
    for c in text:
        if c in "0123456789":
            number += c
            continue
        if number:
            found.append(int(number))
            number = ""
        if c != " ":
            found.append(c)
    if number:
        found.append(int(number))
    return found


def apply(op, a, b):
    return a + b if op == "+" else a - b if op == "-" else a * b


def climb(ts, place, least):
    value = ts[place]
    place += 1
    while place < len(ts):
        op = ts[place]
        p = PRECEDENCE[op]
        if p < least:
            break
        other, place = climb(ts, place + 1, p + 1)
        value = apply(op, value, other)
    return value, place


result = 0
for _ in range(12):
    result += climb(tokens("12 + 3 * 45 - 6 * 7 + 89 - 10 * 2"), 0, 1)[0]
