"""A generator of programs over what Clojure and the language share: expressions by the kind of their value.

Knows nothing of running them. Invariant: a program always has the same value, whatever the order of sets and maps, and
never leaves what both languages define alike (no ratios, no printing of sequences, no `conj` on lists).
"""

from __future__ import annotations

from hypothesis import strategies as st

SMALL = st.integers(-20, 20).map(str)
COUNT = st.integers(0, 5).map(str)
WORD = st.sampled_from(["", "a", "ab", "hello world", "x1y22", "A-b", " pad ", "añb"]).map(lambda word: f'"{word}"')
KEY = st.sampled_from([":a", ":b", ":c"])
PREDICATE = st.sampled_from(
    ["odd?", "even?", "pos?", "neg?", "zero?", "#(> % 3)", "(fn [x] (< x 5))", "(complement odd?)"]
)
STEP = st.sampled_from(["inc", "dec", "-", "#(* 2 %)", "(partial + 3)", "(comp inc inc)", "(fn [x] (mod x 5))", "abs"])
FOLD = st.sampled_from(["+", "*", "max", "min", "(fn [a b] (- a b))"])
ORDER = st.sampled_from(["<", ">", "compare", "(fn [a b] (> a b))"])
TRANSDUCER = st.sampled_from(
    ["(map inc)", "(filter odd?)", "(take 3)", "(drop 2)", "(comp (map dec) (remove neg?))", "(dedupe)", "(take-nth 2)"]
)


def form(*parts: object) -> st.SearchStrategy[str]:
    """`(a b c)` of texts and strategies."""
    return st.tuples(*(part if isinstance(part, st.SearchStrategy) else st.just(str(part)) for part in parts)).map(
        lambda found: f"({' '.join(found)})"
    )


def numbers() -> st.SearchStrategy[str]:
    return st.deferred(lambda: NUMBERS)


def vectors() -> st.SearchStrategy[str]:
    return st.deferred(lambda: VECTORS)


def texts() -> st.SearchStrategy[str]:
    return st.deferred(lambda: TEXTS)


def maps() -> st.SearchStrategy[str]:
    return st.deferred(lambda: MAPS)


def truths() -> st.SearchStrategy[str]:
    return st.deferred(lambda: TRUTHS)


DIVISOR = st.sampled_from(["2", "3", "7", "-4"])
LITERAL_VECTOR = st.lists(SMALL, max_size=6).map(lambda items: f"[{' '.join(items)}]")
LITERAL_MAP = st.dictionaries(KEY, SMALL, max_size=3).map(
    lambda pairs: "{" + " ".join(f"{key} {value}" for key, value in pairs.items()) + "}"
)

NUMBERS: st.SearchStrategy[str] = st.one_of(
    SMALL,
    form("+", numbers(), numbers()),
    form("-", numbers(), numbers()),
    form("*", numbers(), SMALL),
    form("max", numbers(), numbers()),
    form("quot", numbers(), DIVISOR),
    form("rem", numbers(), DIVISOR),
    form("mod", numbers(), DIVISOR),
    form("if", truths(), numbers(), numbers()),
    form("count", vectors()),
    form("count", texts()),
    form("reduce", FOLD, "0", vectors()),
    form("apply", "+", vectors()),
    form("transduce", TRANSDUCER, "+", vectors()),
    form("nth", vectors(), COUNT, "-1"),
    form("get", maps(), KEY, "0"),
    form("or", form("first", vectors()), "0"),
    form("or", form("last", vectors()), "0"),
    form("or", form("str/index-of", texts(), WORD), "-1"),
    form(
        "let", numbers().map(lambda value: f"[x {value}]"), st.sampled_from(["(* x x)", "(- x)", "(if (odd? x) x 0)"])
    ),
    form("loop", st.just("[i 0 s 0]"), form("if", form("<", "i", COUNT), "(recur (inc i) (+ s i))", "s")),
    form("case", numbers(), "1", "10", "(2 3)", "20", numbers()),
    form("cond", truths(), "1", truths(), "2", ":else", numbers()),
    form("->", numbers(), st.sampled_from(["inc", "(- 3)", "(max 2)"]), st.sampled_from(["dec", "(* 2)"])),
    form("try", form("/", "10", st.sampled_from(["2", "5", "0"])), "(catch ArithmeticException e -1)"),
)

VECTORS: st.SearchStrategy[str] = st.one_of(
    LITERAL_VECTOR,
    form("map", STEP, vectors()),
    form("mapv", STEP, vectors()),
    form("filter", PREDICATE, vectors()),
    form("remove", PREDICATE, vectors()),
    form("take", COUNT, vectors()),
    form("drop", COUNT, vectors()),
    form("take-while", PREDICATE, vectors()),
    form("drop-while", PREDICATE, vectors()),
    form("take-last", COUNT, vectors()),
    form("drop-last", COUNT, vectors()),
    form("sort", ORDER, vectors()),
    form("sort-by", STEP, vectors()),
    form("reverse", vectors()),
    form("distinct", vectors()),
    form("dedupe", vectors()),
    form("concat", vectors(), vectors()),
    form("map", FOLD, vectors(), vectors()),
    form("interleave", vectors(), vectors()),
    form("interpose", SMALL, vectors()),
    form("range", COUNT),
    form("range", COUNT, SMALL),
    form("take", COUNT, form("iterate", STEP, SMALL)),
    form("take", COUNT, form("cycle", st.just("[1 2 3]"))),
    form("reductions", FOLD, "0", vectors()),
    form("rest", vectors()),
    form("into", "[]", vectors()),
    form("into", "[]", TRANSDUCER, vectors()),
    form("conj", form("vec", vectors()), numbers()),
    form("cons", numbers(), vectors()),
    form("sort", form("set", vectors())),
    form("flatten", form("partition-all", "2", vectors())),
    form("mapcat", st.just("(fn [x] [x (inc x)])"), vectors()),
    form("keep", st.just("#(when (odd? %) (* % %))"), vectors()),
    form("keep-indexed", st.just("(fn [i x] (when (even? i) x))"), vectors()),
    form("map-indexed", st.just("(fn [i x] (* i x))"), vectors()),
    form("sort", form("vals", maps())),
    form("for", vectors().map(lambda value: f"[x {value} :when (odd? x) :let [y (* x x)]]"), "(+ x y)"),
    form("for", vectors().map(lambda value: f"[x {value} y [1 2] :while (< x 9)]"), "(* x y)"),
    form("let", vectors().map(lambda value: f"[[a b & r] {value}]"), "(concat r [(or a 0) (or b 0)])"),
    form("subvec", form("vec", form("range", "6")), st.sampled_from(["1", "2"]), st.sampled_from(["3", "5"])),
    form("->>", vectors(), st.sampled_from(["(map inc)", "(filter even?)"]), st.sampled_from(["(take 2)", "(map -)"])),
)

TEXTS: st.SearchStrategy[str] = st.one_of(
    WORD,
    form("str", texts(), numbers(), KEY),
    form("str/upper-case", texts()),
    form("str/capitalize", texts()),
    form("str/trim", texts()),
    form("str/reverse", texts()),
    form("str/join", WORD, vectors()),
    form("str/replace", texts(), st.just('"a"'), WORD),
    form("str/replace", texts(), st.sampled_from(['#"[a-c]"', '#"\\d+"', '#"\\s"']), st.just('"_"')),
    form("subs", texts(), "0", "0"),
    form("apply", "str", form("reverse", texts())),
    form("apply", "str", form("distinct", texts())),
    form("name", KEY),
    form("format", st.just('"%d|%5d|%s"'), numbers(), numbers(), WORD),
    form("if", truths(), texts(), texts()),
)

MAPS: st.SearchStrategy[str] = st.one_of(
    LITERAL_MAP,
    form("assoc", maps(), KEY, numbers()),
    form("dissoc", maps(), KEY),
    form("merge", maps(), maps()),
    form("merge-with", "+", maps(), maps()),
    form("update", maps(), KEY, "(fnil inc 0)"),
    form("select-keys", maps(), st.just("[:a :c]")),
    form("update-vals", maps(), STEP),
    form("zipmap", st.just("[:a :b :c]"), vectors()),
    form("into", "{}", form("map", st.just("(fn [[k v]] [k (inc v)])"), maps())),
    form("reduce-kv", st.just("(fn [m k v] (assoc m k (* v v)))"), "{}", maps()),
)

TRUTHS: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(["true", "false", "nil"]),
    form("=", numbers(), numbers()),
    form("=", vectors(), vectors()),
    form("<", numbers(), numbers()),
    form("not", truths()),
    form("and", truths(), truths()),
    form("or", truths(), truths()),
    form("every?", PREDICATE, vectors()),
    form("not-any?", PREDICATE, vectors()),
    form("some", PREDICATE, vectors()),
    form("some", st.just("#{1 2 3}"), vectors()),
    form("contains?", maps(), KEY),
    form("empty?", vectors()),
    form("str/includes?", texts(), WORD),
    form("str/blank?", texts()),
    form("nil?", form("seq", vectors())),
)

RESULTS = st.one_of(
    NUMBERS,
    VECTORS,
    TEXTS,
    MAPS,
    TRUTHS,
    form("frequencies", VECTORS),
    form("group-by", PREDICATE, VECTORS),
    form("partition", "2", VECTORS),
    form("partition-by", PREDICATE, VECTORS),
    form("split-with", PREDICATE, VECTORS),
    form("re-seq", st.sampled_from(['#"\\w+"', '#"(\\w)(\\d)?"']), TEXTS),
    form("str/split", TEXTS, st.sampled_from(['#" "', '#"[ab]"', '#""'])),
    form("set", VECTORS),
)
"""Programs: an expression of any kind."""
