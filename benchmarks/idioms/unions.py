parents, sizes = list(range(60)), {}


def root(i):
    while parents[i] != i:
        i = parents[i]
    return i


for i in range(80):
    a, b = root(i * 7 % 60), root(i * i % 60)
    if a != b:
        parents[a] = b
        sizes[b] = sizes.get(a, 1) + sizes.get(b, 1)
result = [len({root(i) for i in range(60)}), max(sizes.values())]
