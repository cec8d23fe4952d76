def urgency(ticket):
    if ticket["outage"]:
        return 3
    if ticket["kind"] == "billing":
        return 2
    if len(ticket["text"]) > 20:
        return 1
    return 0


def team(ticket):
    kind = ticket["kind"]
    if kind == "billing":
        return "finance"
    if kind == "bug":
        return "engineering"
    return "support"


tickets = get("tickets")
ordered = sorted(tickets, key=lambda t: -urgency(t))
for t in ordered[:2]:
    put({"id": t["id"], "team": team(t)})
result = [[t["id"], urgency(t), team(t)] for t in ordered]
