closing = {")": "(", "]": "[", "}": "{"}


def balanced(text):
    stack = []
    for c in text:
        if c in "([{":
            stack.append(c)
        elif c in closing and (not stack or stack.pop() != closing[c]):
            return False
    return not stack


lines = ["(a [b {c}] d)", "((x)", "[1 {2 (3)} 4] and some more text", "}{", "([{}])([{}])"] * 10
result = [balanced(line) for line in lines]
