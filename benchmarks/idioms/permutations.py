def orders(xs):
    if not xs:
        return [[]]
    return [[x, *tail] for x in xs for tail in orders([y for y in xs if y != x])]


def zigzag(xs):
    return all((i % 2 == 1) == (xs[i - 1] < xs[i]) for i in range(1, len(xs)))


result = len([xs for xs in orders([1, 2, 3, 4, 5]) if zigzag(xs)])
