"""Random programs: bytes, token soup, programs of the golden files mutated token by token and form by form.

Every generator is a pure function of what it is given, so that a finding can be made again from its seed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

from rtfs.builtins import CORE
from rtfs.compiler import toplevel
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|;[^\n]*|[()\[\]{}]|\^\{|#\(|#_|~@|[\'`~@^]|[^\s,()\[\]{}";`~@^]+|[\s,]+')
PAIRS = {"(": ")", "[": "]", "{": "}", "#(": ")", "^{": "}"}
CLOSERS = frozenset(")]}")

assert toplevel  # importing it declares the special forms

MACROS = "-> ->> as-> some-> case cond when when-not if-not if-let when-let for doseq dotimes step-if".split()
ATOMS = """
0  1  -1  2  7  1.5  -0.0  1e308  ##Inf  ##-Inf  ##NaN  9999999999999999999  0xFF  007  nil  true  false  ""  "a"  "é😀"
:a  :b  :else  :keys  :or  :as  :when  :let  :strs  :code  :int  :string  :vector  a  b  c  x  y  e  f  &  _  .  :  %
%1  %&  a.b/c  user/x  None  True  __builtins__  __class__  __import__  λ  class  def1  self  a#  x#  Exception  Error
TypeError  int  any  [:vector int]  [:map [:k int]]  [:and int [:> 0]]  [:or int nil]  [:enum 1 2]  []  {}  ()  {:a 1}
{:keys [a b]}  [a & r]  [x 1]  [x]  [x y]  [a b :as c]  [i 0]  @x  (recur 1)  (recur 1 2)  (catch e e)  (finally 1)
(fn [x] x)  (fn [x & r] r)  #(+ % 1)  (call "test.echo" 1)  (throw {:code :x})  (range 5)  [1 2 3]  (1 2)  {"a" 1}
^:k x  ^{:type int} x  '(a b)  `(a ~b)  `(a ~@b)  2024-01-01T00:00:00Z  resource://x  #_ x  (lambda [x] x)
""".replace("\n", "  ").split("  ")
# what no form may hold: a single one spoils the whole text
SPOILERS = [
    "\\",
    "#{",
    "1/2",
    ".5",
    "1.",
    "'",
    "`",
    "~",
    "~@",
    "^",
    "#|",
    '"',
    ")",
    "]",
    "}",
    "(",
    "[",
    "{",
    "\x00",
    "\ud800",
]


@cache
def tokens() -> tuple[str, ...]:
    """Every name of the language, and atoms that programs are made of."""
    return (*sorted(SPECIAL_FORMS), *MACROS, *sorted(CORE), *(one for one in ATOMS if one))


@cache
def corpus() -> tuple[tuple[str, ...], ...]:
    """The chunks of the golden files, as tokens, without the lines that are errors."""
    found = []
    for path in sorted(GOLDEN.glob("*.test.rtfs")):
        for chunk in re.split(r"^---.*$", path.read_text(encoding="utf-8"), flags=re.M):
            fine = re.sub(r"^.*;!.*$", "", chunk, flags=re.M)
            words = tuple(one for one in TOKEN.findall(fine) if not one.startswith(";"))
            if any(not one.isspace() for one in words):
                found.append(words)
    assert found
    return tuple(found)


def form_at(words: list[str], at: int) -> tuple[int, int]:
    """The stretch of the form that begins at a token or, if none does, before it: to its closing bracket."""
    while at > 0 and (words[at] in CLOSERS or words[at].isspace()):
        at -= 1
    if words[at] not in PAIRS:
        return at, at + 1
    depth = 0
    for index in range(at, len(words)):
        if words[index] in PAIRS:
            depth += 1
        elif words[index] in CLOSERS:
            depth -= 1
            if depth == 0:
                return at, index + 1
    return at, len(words)


def mutate(words: list[str], change: tuple[int, int, int]) -> None:
    """One change, in place. `change`: three numbers that choose what, where and with what."""
    kind, place, other = change
    if not words:
        words.append(tokens()[other % len(tokens())])
        return
    start, end = form_at(words, place % len(words))
    form = words[start:end]
    donor = list(corpus()[other % len(corpus())])
    first, last = form_at(donor, (other // 7) % len(donor))
    word = tokens()[other % len(tokens())] if other % 61 else SPOILERS[other // 61 % len(SPOILERS)]
    match kind % 10:
        case 0:  # a form goes
            words[start:end] = [" "]
        case 1:  # a form stands twice
            words[start:start] = [*form, " "]
        case 2:  # a form of another program in its place
            words[start:end] = [" ", *donor[first:last], " "]
        case 3:  # another word in its place
            words[start:end] = [" ", word, " "]
        case 4:  # a word more
            words[start:start] = [" ", word, " "]
        case 5:  # a form within a call
            words[start:end] = ["(", word, " ", *form, ")"]
        case 6:  # a form changes its place
            words[start:end] = [" "]
            words[other % (len(words) + 1) : other % (len(words) + 1)] = [" ", *form, " "]
        case 7:  # two forms trade places
            words[start:end] = [" "]
            there, beyond = form_at(words, other % len(words))
            words[there:beyond], moved = [" ", *form, " "], words[there:beyond]
            words[start:start] = [" ", *moved, " "]
        case 8:  # a form within brackets or behind a reader sign
            before, after = (("[", "]"), ("{", "}"), ("'", ""), ("`", ""), ("~", ""), ("~@", ""), ("#(", ")"))[
                other % 7
            ]
            words[start:end] = [before, *form, after]
        case _:  # a form nested within itself
            for _ in range(other % 5 + 1):
                inner_start, inner_end = form_at(words, start)
                words[inner_start:inner_end] = ["(", word, " ", *words[inner_start:inner_end], ")"]


def mutated(index: int, changes: list[tuple[int, int, int]]) -> str:
    """A program of the corpus after some changes."""
    words = list(corpus()[index % len(corpus())])
    for change in changes:
        mutate(words, change)
        if len(words) > 4000:
            break
    return "".join(words)


def soup(choices: list[int]) -> str:
    """Tokens in any order; brackets are closed in the end."""
    words: list[str] = []
    open_: list[str] = []
    for choice in choices:
        word = "()[](())"[choice // 3 % 8] if choice % 3 == 0 else tokens()[choice % len(tokens())]
        if word in CLOSERS:
            if not open_:
                continue
            word = open_.pop()
        elif word in PAIRS:
            open_.append(PAIRS[word])
        words.append(word)
    return " ".join([*words, *reversed(open_)])


def text_of(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def any_program(seed: int) -> str:
    """A program from a seed alone, of any of the kinds."""
    random = Random(seed)
    kind = random.random()
    if kind < 0.05:
        return text_of(random.randbytes(random.randrange(200)))
    if kind < 0.25:
        return soup([random.randrange(1 << 30) for _ in range(random.randrange(1, 60))])
    changes = [
        (random.randrange(10), random.randrange(1 << 20), random.randrange(1 << 30))
        for _ in range(random.choice((1, 1, 2, 3, 5, 8, 20)))
    ]
    return mutated(random.randrange(1 << 20), changes)
