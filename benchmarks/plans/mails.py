mails = get("mails")
unread = [m for m in mails if not m["read"]]
urgent = [m for m in unread if m["subject"].startswith("URGENT")]
if not urgent:
    result = "nothing urgent"
else:
    first = urgent[0]
    text = first["from"] + " wrote: " + first["subject"].lower()
    put({"to": "me", "text": text})
    put({"to": "log", "text": str(len(unread)) + " unread"})
    result = text
