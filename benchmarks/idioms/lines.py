alphabet = "abcdefghijklmnopqrstuvwxyz"
places = {c: i for i, c in enumerate(alphabet)}


def runs(text):
    out, last, n = "", None, 0
    for c in text:
        if c == last:
            n += 1
            continue
        if last is not None:
            out += f"{n}{last}"
        last, n = c, 1
    return out if last is None else f"{out}{n}{last}"


def shift(text, by):
    out = ""
    for c in text:
        at = places.get(c)
        out += c if at is None else alphabet[(at + by) % 26]
    return out


def palindrome(text):
    i, j = 0, len(text) - 1
    while i < j:
        if text[i] != text[j]:
            return False
        i, j = i + 1, j - 1
    return True


for i in range(6):
    result = [runs("aaabbbbccddddddeefggggg"), shift("the quick brown fox", i), palindrome("neveroddoreven")]
