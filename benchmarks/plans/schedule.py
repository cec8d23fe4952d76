def busy(calendar, hour):
    return any(hour >= start and hour < end for start, end in calendar)


def free_for_all(calendars, hour):
    return all(not busy(c, hour) for c in calendars)


def first_free(calendars):
    hour = 9
    while hour < 18:
        if free_for_all(calendars, hour):
            return hour
        hour = hour + 1
    return None


def invitation(person, hour):
    return {
        "to": person,
        "subject": "Meeting at " + str(hour) + ":00",
        "body": "Dear " + person + ", please come at " + str(hour) + ":00.",
    }


def load_of(calendar):
    total = 0
    for a, b in calendar:
        total = total + b - a
    return total


people = ["ann", "bob", "eve"]
calendars = [get("calendar-" + p) for p in people]
hour = first_free(calendars)
if hour is None:
    put({"to": "organiser", "subject": "No free hour"})
    result = {"hour": None, "invited": 0}
else:
    for p in people:
        put(invitation(p, hour))
    result = {"hour": hour, "invited": len(people), "most-busy": max([load_of(c) for c in calendars])}
