def evaluate(env, e):
    if isinstance(e, int):
        return e
    if isinstance(e, str):
        return env[e]
    op, a, b = e
    x = evaluate(env, a)
    y = evaluate(env, b)
    if op == "+":
        return x + y
    if op == "-":
        return x - y
    if op == "*":
        return x * y
    raise ValueError("unknown")


result = 0
for i in range(60):
    expression = ["+", ["*", "x", ["-", "y", 3]], ["+", ["*", 2, "x"], ["-", 7, ["*", "y", "y"]]]]
    result += evaluate({"x": i, "y": 10 - i}, expression)
