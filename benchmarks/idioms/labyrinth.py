from collections import deque

W, H = 30, 30
walls = {(x, y) for x in range(W) for y in range(H) if (x * 7 + y * 13) % 11 < 3 and (x, y) != (0, 0)}
dist = {(0, 0): 0}
q = deque([(0, 0)])
while q:
    x, y = q.popleft()
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        p = (x + dx, y + dy)
        if 0 <= p[0] < W and 0 <= p[1] < H and p not in walls and p not in dist:
            dist[p] = dist[(x, y)] + 1
            q.append(p)
result = [len(dist), max(dist.values())]
