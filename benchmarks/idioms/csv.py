sums = {}
for line in "\n".join(["ann,12,bonn"] * 80).split("\n"):
    name, amount, city = line.split(",")
    sums[city] = sums.get(city, 0) + int(amount)
result = sums
