"""Flow rules: what they let through, what they deny, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from tests.flow.banking import Bank

FILE = '(call "bank.read_file" {:name "bill"})'
PAY = '(call "bank.send_money" {:recipient %s :amount 1})'

ALLOWED = {
    "a literal": '"CH5"',
    "a field of an object that fits": '(:recipient (first (filter #(= (:sender %) "me") (call "bank.transactions"))))',
    "another element of a vector": f'(first ["CH5" {FILE}])',
    "another entry of a map": f'(:a {{:a "CH5" :b {FILE}}})',
    "another branch": f'(let [[a b] (step-parallel "CH1" {FILE})] a)',
    "another field of what an implementation gave": '(:a (call "my.get" {}))',
    "an accumulator's element": f'(first (reduce (fn [a x] (conj a x)) [] ["CH5" {FILE}]))',
    "an argument of apply": f'(apply (fn [a b] a) ["CH5" {FILE}])',
    "a key of update": f'(:a (update {{:a "CH5" :b {FILE}}} :b str))',
}
DENIED = {
    "itself": FILE,
    "a function of the prelude that asks the host": f'(do (kv/put "k" {FILE}) (kv/get "k" "b"))',
    "the value that a hint falls back on": (
        f'(let [b {FILE}] ^{{:runtime.learning.fallback {{:value b}}}} (call "my.fail" {{}}))'
    ),
    "through a function": f'(re-find #"US[0-9]+" {FILE})',
    "a field of an object that does not fit": (
        '(:recipient (first (filter #(= (:sender %) "x") (call "bank.transactions"))))'
    ),
    "sorted": '(:recipient (last (sort-by :amount (call "bank.transactions"))))',
    "a closure": f"(let [b {FILE}] ((fn [] (str b))))",
    "map": f'(first (map (fn [x] (str "a" {FILE})) [1]))',
    "map with a standard function": f"(first (map str [{FILE}]))",
    "a function kept in a vector": f"((first [(fn [] {FILE})]))",
    "comp": f"((comp str (fn [x] {FILE})) 1)",
    "partial": f'((partial str {FILE}) "x")',
    "memoize, called again": f'(let [b {FILE} f (memoize (fn [x] (str x b)))] (f "a") (f "a"))',
    "memoize within comp": f'(let [b {FILE} f (memoize (fn [x] (str x b)))] (f "a") ((comp f identity) "a"))',
    "a lazy sequence": f"(first (map (fn [i] {FILE}) (range)))",
    "a lazy sequence, looked at before": f"(let [xs (map (fn [i] {FILE}) (range))] (first xs) (second xs))",
    "lazy-seq": f"(first (lazy-seq [{FILE}]))",
    "iterate": f'(second (iterate (fn [x] {FILE}) "a"))',
    "a lazy sequence in a function's value": f"(first (first ((juxt (partial map (fn [i] {FILE}))) (range))))",
    "loop": f'(loop [i 0 x "a"] (if (< i 2) (recur (inc i) {FILE}) x))',
    "a thrown value": f"(try (throw {FILE}) (catch e (:message e)))",
    "the data of an error": f"(try (throw {{:code :x :data {FILE}}}) (catch e (:data e)))",
    "match": f"(match [{FILE}] [x] x)",
    "destructuring": f"(let [{{:keys [a]}} {{:a {FILE}}}] a)",
    "rest arguments": f"((fn [x & more] (first more)) 1 {FILE})",
    "several arities": f"((fn ([x] x) ([x & more] (first more))) 1 {FILE})",
    "a key of a map": f"(first (keys {{{FILE} 1}}))",
    "the key of an entry": f"(first (first (seq {{{FILE} 1}})))",
    "a set": f"(first (set [{FILE}]))",
    "group-by": f"(first (keys (group-by (fn [x] {FILE}) [1])))",
    "frequencies": f"(first (keys (frequencies [{FILE}])))",
    "a definition": f"(do (def kept {FILE}) kept)",
    "an implementation": '(:b (call "my.get" {}))',
    "an argument of an implementation": f'(call "my.echo" {{:x {FILE}}})',
    "a capability that echoes": f'(call "echo" {{:x {FILE}}})',
    "a branch": f'(let [[a b] (step-parallel "CH1" {FILE})] b)',
    "pmap": f"(first (pmap (fn [x] (str x {FILE})) [1]))",
    "the context": f"(with-context {{:user {FILE}}} @user)",
    "a store": f'(do (kv/put "k" {FILE}) (kv/get "k"))',
    "a string taken apart": f"(apply str (reverse (seq {FILE})))",
    "into": f"(first (into [] (map str) [{FILE}]))",
    "transduce": f'(transduce (map str) str "" [{FILE}])',
    "a fallback": '^{:runtime.learning.fallback {:capability "bank.read_file"}} (call "broken" {:name "a"})',
    "read-string": f"(str (read-string (pr-str {FILE})))",
    "a form": f"(first `[~{FILE}])",
    "some": f"(some (fn [x] x) [nil {FILE}])",
    "equal values of different sources": f'(first (distinct [(subs {FILE} 0 1) "P"]))',
}


def bank() -> Bank:
    made = Bank()
    made.runtime.load(
        '(capability "my.get" :implementation (fn [_] {:a "CH1" :b (call "bank.read_file" {:name "x"})}))\n'
        '(capability "my.echo" :implementation (fn [input] (:x input)))\n'
        '(capability "my.fail" :implementation (fn [input] (throw "no")))'
    )
    made.runtime.register("echo", lambda a: a.get(rtfs.Keyword("x")), effects=["read"])

    def broken(a: Any) -> Any:
        raise rtfs.HostError("it is broken")

    made.runtime.register("broken", broken, effects=["read"])
    return made


@pytest.mark.parametrize("value", ALLOWED.values(), ids=ALLOWED.keys())
def test_values_from_accepted_sources_are_let_through(value: str):
    made = bank()
    assert made.refused(PAY % value) == ""
    assert len(made.sent) == 1


@pytest.mark.parametrize("value", DENIED.values(), ids=DENIED.keys())
def test_values_from_elsewhere_are_denied_before_the_call(value: str):
    made = bank()
    assert made.refused(PAY % value)
    assert made.sent == []


def test_a_denial_names_argument_source_and_way_with_lines():
    text = '(let [bill (call "bank.read_file" {:name "b"})]\n  (call "bank.send_money"\n'
    text += '    {:recipient (re-find #"US[0-9]+" bill) :amount 1}))'
    assert Bank().refused(text) == (
        'calling "bank.send_money" is not allowed: recipient comes from '
        "bank.read_file (line 1) through re-find (line 3)"
    )


def test_constants_of_a_model_are_not_of_the_plan():
    assert "comes from model" in Bank().refused(PAY % '"CH5"', author="model")


def test_input_is_what_the_embedder_gives():
    made = Bank()
    assert made.refused(PAY % "@to", context={"to": "CH5"}) == ""
    assert made.runtime.call("bank.send_money", {"recipient": "CH5", "amount": 1}) == "sent"


def test_what_a_model_gives_a_plan_is_no_input_of_a_person():
    made = Bank()
    assert "comes from model" in made.refused(PAY % "@to", context={"to": "CH5"}, inputs="model")
    assert "comes from model" in made.refused(PAY % "@to", context={"to": "CH5"}, author="model")
    assert made.refused(PAY % '"CH5"', inputs="model") == ""


def test_a_resumed_run_is_of_the_author_that_it_began_with(tmp_path: Any):
    rules = [{"match": "chat.members", "decide": "approve"}]
    text = '(call "chat.members") ' + PAY % '"CH5"'
    made = Bank(state=tmp_path, rules=rules)
    with pytest.raises(rtfs.UserError) as caught:
        made.runtime.run(text, durable=True, run_id="one", author="model")
    assert caught.value.code == "policy/approval-required"
    again = Bank(state=tmp_path, rules=rules, approve=lambda request: True)
    with pytest.raises(rtfs.UserError) as caught:
        again.runtime.resume("one")
    assert "comes from model" in caught.value.message


def test_readers_are_those_of_every_part():
    made = Bank()
    text = '(let [b (:body (first (call "mail.inbox")))] (call "mail.send" {:to %s :body (str "Fw: " b)}))'
    assert made.refused(text % '["bob"]') == ""
    assert "body may not be read by eve: it comes from mail.inbox.body of ann" in made.refused(text % '["bob" "eve"]')


def test_readers_that_a_lookup_names():
    rule = {
        "call": "chat.post",
        "argument": "body",
        "readers": {"lookup": "chat.members", "with": {"channel": "$channel"}},
    }
    made = Bank([rule])
    text = '(call "chat.post" {:channel "c" :body (:body (first (call "mail.inbox")))})'
    assert made.refused(text) == ""
    made.members.append("eve")
    assert "may not be read by eve" in made.refused(text)


def test_a_lookup_that_fails_denies():
    made = Bank([{"call": "chat.post", "argument": "body", "readers": {"lookup": "who"}}])

    def fail(a: Any) -> Any:
        raise OSError("gone")

    made.runtime.register("who", fail, effects=["read"])
    message = made.refused('(call "chat.post" {:channel "c" :body (:body (first (call "mail.inbox")))})')
    assert "a look-up of a flow rule failed" in message


def test_what_decided_is_asked_about_apart():
    rule = {"call": "bank.send_money", "argument": "amount", "from": ["*"], "decided-by": ["plan"]}
    made = Bank([rule])
    text = '(call "bank.send_money" {:recipient "CH1" :amount %s})'
    assert made.refused(text % '(:amount (first (call "bank.transactions")))') != ""  # which element there is
    assert made.refused(text % '(if (re-find #"10" (call "bank.read_file" {:name "b"})) 1 2)')
    assert made.refused('(when (call "bank.read_file" {:name "b"}) ' + text % "1" + ")")
    assert (
        made.refused('(do (try (parse-long (call "bank.read_file" {:name "b"})) (catch e 1)) ' + text % "1" + ")") == ""
    )
    assert made.refused(text % '(try (do (/ 1 (count (call "bank.read_file" {:name "b"}))) 1) (catch e 2))')
    assert (
        made.refused(
            '(loop [i 0] (if (< i (count (call "bank.read_file" {:name "b"}))) (recur (inc i)) nil)) ' + text % "1"
        )
        == ""
    )
    assert made.refused(text % '(loop [i 0] (if (< i (count (call "bank.read_file" {:name "b"}))) (recur (inc i)) 1))')
    assert made.refused(text % '(match (call "bank.read_file" {:name "b"}) "x" 1 _ 2)')
    assert made.refused(text % '(and (call "bank.read_file" {:name "b"}) 1)')
    assert made.refused(text % "1") == ""


def test_writing_tools_without_a_rule():
    assert "no flow rule says" in Bank().refused('(call "mail.delete" {:id "m1"})')
    assert Bank().refused('(call "mail.inbox")') == ""


def test_rules_that_ask_show_the_way():
    asked = []

    def approve(request: Any) -> bool:
        asked.append(request.reason)
        return True

    rule = {"call": "bank.send_money", "argument": "recipient", "from": ["plan"], "otherwise": "ask"}
    made = Bank([rule], approve=approve)
    assert made.refused(PAY % FILE) == ""
    assert asked == ["recipient comes from bank.read_file (line 1)"]


def test_endorsements():
    rules = [{"call": "bank.send_money", "from": ["plan"], "argument": "recipient"}]
    made = Bank({"rules": rules, "endorse": [{"type": '[:enum "US999" "CH5"]'}]})
    assert made.refused(PAY % f'(re-find #"US[0-9]+" {FILE})') == ""
    assert made.refused(PAY % FILE)
    made = Bank({"rules": rules, "endorse": [{"value": "chat.members", "members": True}]})
    assert made.refused(PAY % f'(do {FILE} (str "an" (first (map (fn [_] "n") {FILE}))))') == ""
    assert made.refused(PAY % FILE)


def test_arguments_that_a_declaration_drops_and_answers_that_it_trusts():
    made = Bank([{"call": "bank.send_money", "argument": "recipient", "from": ["plan", "trusted"]}])
    runtime = made.runtime
    runtime.register("iban", lambda a: "CH7", flow={"trust": "trusted"})
    runtime.register("clean", lambda a: "CH7", flow={"trust": "trusted", "arguments": "dropped"})
    runtime.register("endorse", lambda a: "CH7", flow={"trust": "trusted", "endorses": True})
    assert made.refused(PAY % f'(call "iban" {{:of {FILE}}})')
    assert made.refused(PAY % f'(call "clean" {{:of {FILE}}})') == ""
    assert made.refused(PAY % f'(call "endorse" {{:of {FILE}}})') == ""


def test_elements_of_an_argument_are_judged_one_by_one():
    made = Bank([{"call": "mail.send", "argument": "to[]", "from": ["plan"]}])
    assert made.refused('(call "mail.send" {:to ["bob" "ann"] :body "x"})') == ""
    assert made.refused(f'(call "mail.send" {{:to ["bob" {FILE}] :body "x"}})')


def test_a_resumed_run_has_its_labels_again(tmp_path: Any):
    made = Bank(state=tmp_path)
    text = f'(def bill {FILE}) (call "chat.members") ' + PAY % "bill"
    with pytest.raises(rtfs.UserError):
        made.runtime.run(text, durable=True, run_id="one")
    record = tmp_path / "record"
    fine = f"(def bill {FILE}) (try " + PAY % "bill" + " (catch e (:code e)))"
    assert rtfs.to_text(made.runtime.run(fine, record=record)) == ":policy/flow"
    assert rtfs.to_text(Bank().runtime.run(fine, replay=record)) == ":policy/flow"


def test_retries_are_decided_about_too():
    made = bank()
    text = PAY.replace("(call", "^{:runtime.learning.retry {:max-retries 2}} (call", 1)
    assert made.refused(text % FILE)


WRONG: list[tuple[Any, str]] = [
    ([{"call": "bank.nope"}], '"bank.nope", which is not declared'),
    ([{"call": "bank.send_money", "argument": "recipent", "from": ["plan"]}], "'recipent', which"),
    ([{"call": "bank.send_money", "readers": ["$who"]}], "'who', which"),
    ([{"call": "mail.*", "frm": []}], "has no 'frm'"),
    ([{"call": "mail.*", "from": "plan"}], "`from` is a list"),
    ([{"call": "mail.*", "from": ["a[b"]}], "not a pattern"),
    ([{"call": "mail.*", "from": ["a[b]"]}], "not a condition"),
    ([{"call": "mail.*", "from": ["a[b=me]"]}], "`me`"),
    ([{"call": "mail.*", "argument": "a..b"}], "not the path"),
    ([{"call": "mail.*", "from": ["bank.rows[sender=me,sender=you]"]}], "names 'sender' more than once"),
    ([{"call": "mail.*", "otherwise": "allow"}], "deny or ask"),
    ([{"argument": "a"}], "`call`"),
    ([{"call": {"unknown": True}}], "names effects"),
    (["x"], "is a mapping"),
    ([{"call": "chat.post", "readers": {"lookup": "nope"}}], '"nope", which is not declared'),
    ({"rules": [], "endorse": [{"type": "[:nonsense"}]}, "the type of an endorsement"),
    ({"rules": [], "endorse": [{"value": "chat.members"}]}, "an endorsement is"),
    ({"ruls": []}, "has no 'ruls'"),
]


@pytest.mark.parametrize(("flow", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_no_rule_is_an_error_before_anything_runs(flow: Any, said: str):
    with pytest.raises(rtfs.UserError) as caught:
        Bank(flow).runtime.run("1")
    assert caught.value.code == "config/invalid"
    assert said in caught.value.message


def test_rules_in_a_file(tmp_path: Any):
    file = tmp_path / "rtfs.yaml"
    file.write_text("flow:\n  - call: pay\n    argument: to\n    from: [plan]\nendorse:\n  - {type: ':int'}\n")
    runtime = rtfs.Runtime.from_config(str(file))
    runtime.register("pay", lambda a: "paid", input_schema="[:map [:to :any]]")
    runtime.register("read", lambda a: "x")
    assert runtime.run('(call "pay" {:to "a"}) (call "pay" {:to (count (call "read"))})') == "paid"
    with pytest.raises(rtfs.UserError, match="to comes from read"):
        runtime.run('(call "pay" {:to (call "read")})')


def test_without_rules_nothing_is_labelled():
    with rtfs.Runtime() as runtime:
        runtime.run("(defn f [x] x)")
        assert not hasattr(runtime.run("f"), "carries_labels")
