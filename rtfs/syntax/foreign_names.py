"""What people write who come from Clojure, Python or JavaScript, and what to write here instead: one table.

Knows nothing of programs. Looked at only for names that nothing defines, so a definition of the same name is never in
its way. Invariant: no name of the language is in it (a test compares).
"""

from __future__ import annotations

_NO_STATE = "RTFS has no atoms: use `reduce` or `loop`/`recur`, or keep state with kv/put"
_NO_ASSIGNMENT = "RTFS has no assignment: bind a new value with `let` or pass it to `recur`"
_NIL, _TRUE, _FALSE = "write `nil`", "write `true`", "write `false`"
_DEFN = "a function is defined with (defn name [parameter …] body …)"
_MODULES = "use (import name :as alias), or (require '[clojure.string :as str])"
_BRANCHES = "branches are written (if test then else), or (cond test value … :else value)"

HINTS: dict[str, str] = {
    # state
    "atom": "RTFS has no atoms: pass values along, use `loop`/`recur` or `reduce`, or keep state with kv/put",
    "ref": _NO_STATE,
    "agent": _NO_STATE,
    "volatile!": _NO_STATE,
    "swap!": _NO_STATE,
    "reset!": _NO_STATE,
    "vswap!": _NO_STATE,
    "set!": _NO_ASSIGNMENT,
    "setq": _NO_ASSIGNMENT,
    "setf": _NO_ASSIGNMENT,
    "binding": _NO_ASSIGNMENT,
    "conj!": "collections never change: (conj coll item) gives a new one",
    "assoc!": "collections never change: (assoc map key value) gives a new one",
    "transient": "collections never change, and building them with conj and assoc is fast",
    "persistent!": "collections never change, and building them with conj and assoc is fast",
    # definitions
    "defun": _DEFN,
    "define": _DEFN + "; a value with (def name value)",
    "function": _DEFN + "; without a name, (fn [parameter …] body …)",
    "func": _DEFN,
    "defmulti": "RTFS has no multimethods: use `match` or `cond` on the value",
    "defmethod": "RTFS has no multimethods: use `match` or `cond` on the value",
    "defprotocol": "RTFS has no protocols: pass functions, or keep them in a map",
    "defrecord": "use (defstruct Name :field type …)",
    "const": "names never change: (def name value), or (let [name value] …)",
    "var": "RTFS has no vars: a name is its value; (def name value) defines one",
    "class": "RTFS has no classes: use maps and functions, or (defstruct Name :field type …)",
    # flow
    "return": "there is no `return`: the value of a function is its last form",
    "elif": _BRANCHES,
    "else": _BRANCHES,
    "else-if": _BRANCHES,
    "elseif": _BRANCHES,
    "then": _BRANCHES,
    "switch": "use (match value pattern result … _ default)",
    "while": "use (loop [name value …] … (recur …)), or a `step-loop`",
    "break": "a `loop` ends when its body does not `recur`; (reduce …) and (some …) go through collections",
    "continue": "use `filter`, or `when` in the body",
    "foreach": "use (doseq [item coll] …), or (map f coll)",
    "for-each": "use (doseq [item coll] …), or (map f coll)",
    "raise": 'use (throw {:code :my/error :message "…"})',
    "yield": "there are no generators: give a vector",
    "await": "nothing needs to be awaited: (call …) gives the result; use `step-parallel` to do several things at once",
    "async": "nothing needs to be awaited: (call …) gives the result; use `step-parallel` to do several things at once",
    "future": "use (step-parallel form …)",
    "pmap": "use (step-parallel form …), or `map`",
    "progn": "use `do`",
    "begin": "use `do`",
    # names of other languages for what there is
    "None": _NIL,
    "null": _NIL,
    "undefined": _NIL,
    "NULL": _NIL,
    "True": _TRUE,
    "TRUE": _TRUE,
    "False": _FALSE,
    "FALSE": _FALSE,
    "len": "use (count coll)",
    "size": "use (count coll)",
    "append": "use (conj coll item) for one item, (concat a b) for two collections",
    "push": "use (conj coll item)",
    "extend": "use (concat a b)",
    "dict": "a map is written {:key value}",
    "car": "use (first coll)",
    "cdr": "use (rest coll)",
    "ffirst": "use (first (first coll))",
    "subs": "use (substring text start end)",
    "upper-case": "use (upper text)",
    "lower-case": "use (lower text)",
    "toUpper": "use (upper text)",
    "toUpperCase": "use (upper text)",
    "toLower": "use (lower text)",
    "toLowerCase": "use (lower text)",
    "strip": "use (trim text)",
    "startsWith": "use (starts-with? text prefix)",
    "startswith": "use (starts-with? text prefix)",
    "endsWith": "use (ends-with? text suffix)",
    "endswith": "use (ends-with? text suffix)",
    "includes": "use (contains? coll item)",
    "indexOf": "use (index-of coll item)",
    "concatenate": "use (str a b) for strings, (concat a b) for collections",
    "to-string": "use (str value)",
    "toString": "use (str value)",
    "parseInt": "use (parse-int text)",
    "parseFloat": "use (parse-float text)",
    "sorted": "use (sort coll)",
    "reversed": "use (reverse coll)",
    "foldl": "use (reduce f initial coll)",
    "fold": "use (reduce f initial coll)",
    "==": "use `=`",
    "===": "use `=`",
    "!==": "use `!=`",
    "&&": "use (and a b)",
    "||": "use (or a b)",
    "!": "use (not value)",
    "%": "use (mod a b); `%` stands for the argument within #(…)",
    "**": "use (pow base exponent)",
    "//": "use (quot a b); a comment begins with `;`",
    "+=": _NO_ASSIGNMENT,
    "++": "use (inc n)",
    "--": "use (dec n)",
    "=>": "a function is written (fn [x] …) or #(… % …)",
    # what is a host call here
    "console.log": "use (println value …)",
    "printf": "use (println (format text value …))",
    "prn": "use (println (pr-str value))",
    "echo": "use (println value …)",
    "slurp": "RTFS does no I/O of its own: use (read-file path), a host call",
    "spit": "RTFS does no I/O of its own: use (write-file path text), a host call",
    "open": "RTFS does no I/O of its own: use (read-file path), a host call",
    "fetch": "RTFS does no I/O of its own: use (http-fetch url), a host call",
    "sleep": "RTFS does no I/O of its own: use (thread/sleep milliseconds), a host call",
    "getenv": "use (get-env name), a host call",
    # programs and files
    "eval": "RTFS has no `eval`: what runs is what was read; pass functions or write a macro",
    "from": _MODULES,
    "include": _MODULES,
}


def hint_for(name: str) -> str | None:
    """What to write instead of a name that nothing defines, or None."""
    found = HINTS.get(name)
    if found is None and name.endswith("'"):
        return 'a string is written with double quotes: "text"'
    if found is None and "." in name[1:-1] and "/" not in name:
        if name.startswith(("ccos.", "mcp.")):
            return f'the id of a capability is written in quotes: (call "{name}" …)'
        whole, _, part = name.rpartition(".")
        access = f"to get :{part} out of a map write (:{part} {whole}); the id of a capability is written in quotes"
        return HINTS.get(part) or f"there is no access with a dot: {access}"
    if found is None and "/" in name and len(name) > 1:
        module, _, rest = name.rpartition("/")
        found = HINTS.get(rest)
        if found is None:
            found = f"a module is imported before it is used: (import {module})"
    return found
