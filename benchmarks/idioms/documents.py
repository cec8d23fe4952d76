document = {
    "title": "report",
    "pages": 12,
    "chapters": [
        {"name": "one", "sections": [{"n": 1}, {"n": 2}, {"n": 3, "notes": ["a", "b"]}]},
        {"name": "two", "sections": [{"n": 4}, {"n": 5, "table": {"rows": 3, "cells": [[1, 2], [3, 4]]}}]},
    ],
    "meta": {"author": {"name": "ann", "age": 41}, "tags": ["x", "y", "z"]},
}


def leaves(d):
    if isinstance(d, dict):
        return sum(leaves(v) for v in d.values())
    if isinstance(d, list):
        return sum(leaves(v) for v in d)
    return 1


def paths(d, path, found):
    if isinstance(d, dict):
        for k, v in d.items():
            paths(v, f"{path}/{k}", found)
    elif isinstance(d, list):
        for i, v in enumerate(d):
            paths(v, f"{path}/{i}", found)
    elif isinstance(d, int):
        found.append(path)
    return found


for _ in range(10):
    result = [leaves(document), paths(document, "", [])]
