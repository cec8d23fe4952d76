marks = [True] * 2001
p = 2
while p * p <= 2000:
    if marks[p]:
        for m in range(p * p, 2001, p):
            marks[m] = False
    p += 1
result = len([m for m in marks[2:] if m])
