p = {"x": 0.0, "y": 0.0, "vx": 1.0, "vy": 0.5}
for _ in range(500):
    p["x"] += p["vx"] * 0.1
    p["y"] += p["vy"] * 0.1
    p["vx"] *= 0.99
result = [p["x"], p["y"]]
