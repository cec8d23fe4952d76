vowels = {"a", "e", "i", "o", "u"}
by_length = {}
for word in get("page").split(" "):
    by_length.setdefault(len(word), []).append(word)


def vowel_share(word):
    return len([one for one in word if one in vowels]) / len(word)


longest = max(by_length.keys())
tail = [[n, len(set(by_length[n])), sorted(by_length[n])[0]] for n in range(3, longest + 1) if n in by_length]
for n, many, _ in tail:
    put({"length": n, "words": many})
distinct = {word for words in by_length.values() for word in words}
result = {"longest": longest, "table": tail, "half": len([word for word in distinct if vowel_share(word) >= 0.4])}
