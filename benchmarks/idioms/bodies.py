def pull(body, others):
    ax = ay = 0.0
    for o in others:
        dx, dy = o["x"] - body["x"], o["y"] - body["y"]
        d2 = dx * dx + dy * dy + 0.01
        f = o["m"] / (d2 * d2**0.5)
        ax += f * dx
        ay += f * dy
    return ax, ay


def move(body, others, dt):
    ax, ay = pull(body, others)
    vx, vy = body["vx"] + ax * dt, body["vy"] + ay * dt
    return {"x": body["x"] + vx * dt, "y": body["y"] + vy * dt, "vx": vx, "vy": vy, "m": body["m"]}


bodies = [
    {"x": 0.0, "y": 0.0, "vx": 0.0, "vy": 0.0, "m": 10.0},
    {"x": 3.0, "y": 0.0, "vx": 0.0, "vy": 1.5, "m": 1.0},
    {"x": 0.0, "y": 5.0, "vx": -1.2, "vy": 0.0, "m": 1.0},
]
for _ in range(40):
    bodies = [move(body, bodies, 0.01) for body in bodies]
result = 0.0
for body in bodies:
    result += body["x"]
