people = [{"name": f"p{i}", "dept": ["dev", "ops", "hr"][i % 3], "pay": 1000 + 10 * (i * 7 % 13)} for i in range(60)]
groups = {}
for person in people:
    groups.setdefault(person["dept"], []).append(person)
result = ""
for dept in sorted(groups):
    found = groups[dept]
    total = sum(person["pay"] for person in found)
    result += f"{dept}: {len(found)} people, {total // len(found)} on average\n"
