bank = {"a": {"balance": 100, "moves": 0}, "b": {"balance": 50, "moves": 0}}
for i in range(300):
    to = "a" if i % 2 == 0 else "b"
    bank[to]["moves"] += 1
    bank[to]["balance"] += 1
result = [bank["a"]["balance"], bank["b"]["moves"]]
