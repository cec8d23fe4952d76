def attempt(name, tries):
    try:
        return get(name)
    except Exception:
        if tries > 1:
            return attempt(name, tries - 1)
        return {"error": "gave up on " + name}


a = attempt("user", 3)
b = attempt("missing", 3)
result = [a["name"], b["error"]]
