def combine(a, b):
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] < b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    return out + a[i:] + b[j:]


def merge_sort(v):
    if len(v) < 2:
        return v
    half = len(v) // 2
    return combine(merge_sort(v[:half]), merge_sort(v[half:]))


result = merge_sort([i * 7919 % 1009 for i in range(120)])
