def index(rows):
    return {r["email"]: r for r in rows}


def merged(a, b):
    name = a.get("name") or b.get("name")
    conflict = bool(a.get("phone") and b.get("phone") and a.get("phone") != b.get("phone"))
    return {"name": name, "phone": a.get("phone") or b.get("phone"), "conflict": conflict}


crm = index(get("crm"))
shop = index(get("shop"))
emails = []
for e in list(crm.keys()) + list(shop.keys()):
    if e not in emails:
        emails.append(e)
rows = []
for e in emails:
    row = merged(crm.get(e, {}), shop.get(e, {}))
    row["email"] = e
    rows.append(row)
conflicts = [r for r in rows if r["conflict"]]
for c in conflicts:
    put({"conflict": c["email"]})
put({"rows": len(rows), "conflicts": len(conflicts)})
result = {"rows": [[r["email"], r["name"], r["phone"]] for r in rows], "conflicts": [r["email"] for r in conflicts]}
