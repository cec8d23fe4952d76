user = get("user")
result = "Hello " + user["name"] + ", you live in " + user["address"]["city"]
