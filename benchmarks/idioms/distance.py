b = list("sitting in the mouth of rivers")
row = list(range(31))
for a in list("kitten on the roof of a house."):
    made = [row[0] + 1]
    for j in range(1, len(b) + 1):
        made.append(min(row[j] + 1, made[j - 1] + 1, row[j - 1] + (0 if a == b[j - 1] else 1)))
    row = made
result = row[-1]
