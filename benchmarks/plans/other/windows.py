def gaps(meetings, at, found):
    if not meetings:
        return found + [[at, 18]]
    start, end = meetings[0]
    return gaps(meetings[1:], end, found + [[at, start]] if start > at else found)


def length(gap):
    return gap[1] - gap[0]


longest = []
for name in ["ann", "bob", "eve"]:
    best = [0, 0]
    for gap in gaps(get("calendar-" + name), 8, []):
        if length(gap) > length(best):
            best = gap
    longest.append(best)
if all(end - start >= 4 for start, end in longest):
    common = "afternoon"
elif any(one is None for one in longest):
    common = "none"
else:
    common = "short"
result = {"longest": longest, "common": common}
