def insert(node, x):
    if node is None:
        return {"value": x, "left": None, "right": None}
    if x < node["value"]:
        node["left"] = insert(node["left"], x)
    elif x > node["value"]:
        node["right"] = insert(node["right"], x)
    return node


def walk(node, found):
    if node is not None:
        walk(node["left"], found)
        found.append(node["value"])
        walk(node["right"], found)
    return found


root = None
for i in range(80):
    root = insert(root, i * 37 % 101)
result = walk(root, [])
