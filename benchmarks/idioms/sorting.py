result = [i * 7919 % 101 for i in range(40)]
for i in range(len(result)):
    for j in range(len(result) - i - 1):
        if result[j] > result[j + 1]:
            result[j], result[j + 1] = result[j + 1], result[j]
