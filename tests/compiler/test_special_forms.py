"""Special forms written wrongly: the code, where the carets stand, what the hint says."""

from __future__ import annotations

import pytest

from rtfs.compiler import toplevel
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
from tests.compiler.support import carets, failure, printed

assert toplevel  # importing it declares the special forms

# (program with «the stretch the carets mark», code, part of the message)
WRONG = [
    ("«(if)»", "form/shape", "`if` does not take 0 forms"),
    ("(do 1 «(if 1)»)", "form/shape", "`if` does not take 1 form here"),
    ("(if true «(if 1 2 3 4)»)", "form/shape", "`if` does not take 4 forms"),
    ("«(def)»", "form/shape", "`def` does not take 0 forms"),
    ("«(def x)»", "form/shape", "`def`"),
    ("«(def 5 1)»", "form/shape", "`def` names a symbol"),
    ("«(def x 1 2)»", "form/shape", "`def` takes a name and one value"),
    ("«(defn)»", "form/shape", "`defn`"),
    ("«(defn f)»", "form/shape", "`defn"),
    ("«(defn f 1)»", "form/shape", "no parameter vector"),
    ('«(defn "f" [] 1)»', "form/shape", "names a symbol"),
    ("«(defn f ([x] 1) ([y] 2))»", "form/shape", "two arities take 1 arguments"),
    ("«(defn f ([& r] 1) ([x & r] 2))»", "form/shape", "only one arity may have `&`"),
    ("«(defn f ([x y] 1) ([& r] 2))»", "form/shape", "at least as many"),
    ("«(fn)»", "form/shape", "`fn`"),
    ("«(fn 5)»", "form/shape", "parameter vector"),
    ("(map «(fn [& a b] 1)» [])", "form/shape", "exactly one parameter follows `&`"),
    ("«(fn [&] 1)»", "form/shape", "exactly one parameter follows `&`"),
    ("«(fn [5] 1)»", "form/shape", "a pattern is a name"),
    ("«(let)»", "form/shape", "`let`"),
    ("(let «x» 1)", "form/shape", "takes a vector"),
    ("(let «[x]» 1)", "form/shape", "one has no value"),
    ("(do (let «[x 1 y]» x))", "form/shape", "one has no value"),
    ("«(let [5 1] 2)»", "form/shape", "a pattern is a name"),
    ("«(let [[a :b] [1 2]] a)»", "form/shape", "a pattern is a name"),
    ("«(let [& 1] 1)»", "form/shape", "`&` cannot be bound"),
    ("(loop «x» 1)", "form/shape", "takes a vector"),
    ("(loop «[i]» i)", "form/shape", "one has no value"),
    ("(loop [i 0] (+ 1 «(recur i)»))", "recur/not-tail", "not in tail position"),
    ("(loop [i 0] «(recur)»)", "recur/arity", "takes 1 value here, got 0"),
    ("(loop [i 0] (if i «(recur 1 2)»))", "recur/arity", "got 2"),
    ("(defn f [x] (do «(recur x)» 1))", "recur/not-tail", "not in tail position"),
    ("(loop [i 0] (try «(recur i)» (catch e 1)))", "recur/not-tail", "not in tail position"),
    ("(loop [i 0] (try 1 (finally «(recur i)»)))", "recur/not-tail", "not in tail position"),
    ("«(recur 1)»", "recur/not-tail", "not in tail position"),
    ("«(match)»", "form/shape", "`match`"),
    ("«(match 1 a)»", "form/shape", "has no body"),
    ("«(match 1 a when)»", "form/shape", "guard is missing"),
    ("«(match [1 1] [a a] 1)»", "form/shape", "appears twice"),
    ("«(match 1 (:or) 1)»", "form/shape", "needs patterns"),
    ("«(match 1 (:or [a] b) 1)»", "form/shape", "must bind the same names"),
    ("(match 1 «(nonsense a b c)» 1)", "form/shape", "not a pattern"),
    ("«(match [1] [& a b] 1)»", "form/shape", "exactly one pattern follows `&`"),
    ("«(match {} {k :k} 1)»", "form/shape", "pairs keys with patterns"),
    ("(try 1 «(catch)»)", "form/shape", "`catch` needs a name"),
    ("(try 1 «(catch 5 e 1)»)", "form/shape", "`catch` needs a name"),
    ("(try 1 «(catch NoSuch e 1)»)", "form/shape", "is not a class of errors"),
    ("«(try (catch e 1) 2)»", "form/shape", "comes before `catch`"),
    ("«(try (finally 1) (catch e 2))»", "form/shape", "`catch` comes before `finally`"),
    ("«(try (finally 1) (finally 2))»", "form/shape", "takes one `finally`"),
    ("«(catch e 1)»", "form/shape", "outside `try`"),
    ("«(finally 1)»", "form/shape", "outside `try`"),
    ("«(throw)»", "form/shape", "`throw`"),
    ("«(quote)»", "form/shape", "`quote`"),
    ("«(quote a b)»", "form/shape", "`quote`"),
    ("«~x»", "form/shape", "outside a quasiquote"),
    ("«~@x»", "form/shape", "outside a quasiquote"),
    ("«(defmacro)»", "form/shape", "`defmacro`"),
    ("«(defmacro 5 [] 1)»", "form/shape", "names a symbol"),
    ("«(defmacro m)»", "form/shape", "defmacro"),
    ("«(module)»", "form/shape", "`module`"),
    ("«(module 5)»", "form/shape", "names a symbol"),
    ("(let [] «(module m)»)", "form/shape", "belongs at the top level"),
    ("(let [] «(import m)»)", "form/shape", "belongs at the top level"),
    ("«(import)»", "form/shape", "`import`"),
    ("(module m) «(import m :as)»", "form/shape", "options come in pairs"),
    ("(module m) «(import m :as 5)»", "form/shape", "takes `:as alias`"),
    ("(module m) «(import m :only 5)»", "form/shape", "vector of names"),
    ("«(deftype)»", "form/shape", "`deftype`"),
    ("«(deftype 5 int)»", "form/shape", "names a symbol"),
    ("(deftype T «no-such-type»)", "type/unknown", "no-such-type"),
    ("«(defstruct P :x)»", "form/shape", "fields come in pairs"),
    ("«(defstruct P x int)»", "form/shape", "fields come in pairs"),
    ("(fn [x : nothing-like-it] x)", "type/unknown", "nothing-like-it"),
    ("«(call)»", "form/shape", "`call`"),
    ('«(call "a" :k 1 2)»', "form/shape", "last key has no value"),
    ('«(call "a" 1 :k)»', "form/shape", "last key has no value"),
    ("«(capability)»", "form/shape", "`capability`"),
    ("«(capability 5 :description 1)»", "capability/invalid", "string or a keyword"),
    ('«(capability "a" :description)»', "capability/invalid", "last key has no value"),
    ("«@5»", "form/shape", "takes a name"),
    ("«(step)»", "form/shape", "`step`"),
    ("(map «when» [1])", "form/shape", "is a macro, not a value"),
    ("(map «if» [1])", "form/shape", "is a special form, not a value"),
    ("[1 «:» 2]", "form/shape", "has no value"),
    ("«(when)»", "form/shape", "`when`"),
    ("«(cond 1)»", "form/shape", "cond"),
    ("«(if-let x 1)»", "form/shape", "if-let"),
    ("«(for x 1)»", "form/shape", "`for`"),
    ("«(for [x] 1)»", "form/shape", "pairs"),
    ("«(doseq [x [1] :nope 1] x)»", "form/shape", ":nope"),
    ("«(dotimes [i] 1)»", "form/shape", "dotimes"),
]


@pytest.mark.parametrize(("marked", "code", "part"), WRONG, ids=[one[0] for one in WRONG])
def test_a_form_that_is_written_wrongly(marked: str, code: str, part: str):
    error = failure(marked.replace("«", "").replace("»", ""))
    assert error.code == code
    assert part in error.message
    if "«" in marked:
        assert carets(error) == marked.partition("«")[2].partition("»")[0]
        assert error.span is not None
        assert error.span.start == marked.index("«")


@pytest.mark.parametrize("name", sorted(SPECIAL_FORMS))
def test_the_hint_of_a_shape_error_shows_the_shape(name: str):
    form = SPECIAL_FORMS[name]
    if form.least == 0:
        return
    error = failure(f"({name})")
    assert error.hint == f"write {form.shape}"


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("if", (2, 3)),
        ("do", (0, None)),
        ("def", (2, 4)),
        ("let", (1, None)),
        ("quote", (1, 1)),
        ("recur", (0, None)),
        ("throw", (1, 1)),
        ("deftype", (2, 2)),
    ],
)
def test_the_shape_says_how_many_forms_may_follow(name: str, counts: tuple[int, int | None]):
    assert (SPECIAL_FORMS[name].least, SPECIAL_FORMS[name].most) == counts


def test_an_error_in_a_later_form_does_not_undo_the_earlier_ones():
    assert failure("(def x 1)\n(+ x\n   (if))").span.line == 3  # type: ignore[union-attr]


def test_only_some_special_forms_can_be_named_anew():
    assert printed("(defn step [x] [:mine x]) (step 1)") == "[:mine 1]"
    assert printed("(defn match [a b] (+ a b)) (match 1 2)") == "3"
    assert failure("(defn if [a] a) (if 1)").code == "form/shape"


def test_a_local_may_have_the_name_of_a_form():
    assert printed("(let [if (fn [x] [:local x])] (if 1))") == "[:local 1]"
    assert printed("((fn [do] (do 5)) inc)") == "6"
    assert printed("(let [when 3] when)") == "3"
