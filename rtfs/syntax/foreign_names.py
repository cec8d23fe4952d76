"""Names from Clojure, Python, JavaScript, Scheme and Common Lisp, and what to write instead of each.

Knows nothing of programs. Looked at only for names that nothing defines, so a definition of the same name is never in
its way, and before any guess at a spelling. Invariant: no name of the language is in it (a test compares); every public
name of Clojure's core that is absent is in it (docs/clojure.md is made from it, and a test compares).
"""

from __future__ import annotations

_NO_ATOMS = (
    "values never change: instead of `swap!` on a total for each x write (reduce (fn [total x] (+ total x)) 0 xs), or "
    "pass the state along with `loop`/`recur`; kv/put keeps what outlives the program"
)
_NO_ASSIGNMENT = "there is no assignment: bind a new value with `let` or pass it to `recur`"
_NO_VARS = "there are no vars: a name is its value; (def name value) defines one, `let` binds one"
_NO_DYNAMIC = "there are no dynamic vars: pass the value as an argument"
_NO_NAMESPACES = "namespaces are not values: (ns name (:require [other :as o])) at the head of a file"
_NO_METHODS = (
    "there are no multimethods: use `match` or `case` on the value, or a map of functions, ((get table key) x)"
)
_NO_PROTOCOLS = "there are no protocols: pass functions, keep them in a map, or choose with `match`"
_NO_RECORDS = "a record is a map, {:x 1 :y 2}; (defstruct Name :field type …) makes one that is checked"
_NO_CLASSES = "there are no classes or objects: use maps and functions, or (defstruct Name :field type …)"
_NO_ARRAYS = "there are no arrays: use a vector, (get v i) and (assoc v i x)"
_NO_JAVA = "Java's objects are not there: use the language's own values"
NO_DATES = (
    'dates are texts: "2024-05-31" compares and sorts as it is, (parse-long (subs date 0 4)) is its year, '
    "(current-time-millis) the time now, a host call; leave reckoning with dates to a capability, (call id …)"
)
NO_JAVA_CLASSES = "there are no Java classes: use the functions of the language, or `(call …)`"
_NO_TEST_MACROS = "tests are golden files: (f 1) ;=> 2 in name.test.rtfs, run by `rtfs test`"
_NO_METADATA = "values carry no metadata: keep it beside the value, in a map"
_NO_RANDOM = "a program is deterministic: get chance from outside, with a capability and (call id)"
_NO_SORTED = (
    "there are no sorted collections: (sort m) gives a map's entries in the order of the keys, (sort xs) elements"
)
_NO_IO = "the language does no I/O of its own: use (read-file path) and (write-file path text), host calls"
_NO_EVAL = "there is no `eval`: what runs is what was read; pass functions or write a macro"
_NO_READER = "texts are read as data by (read-string text); there are no readers"
_NO_PROMISES = (
    "nothing needs to be awaited: (call …) gives the result; use `step-parallel` or `pmap` for several at once"
)
_NO_DELAY = "write a function of no arguments, (fn [] …), and call it where the value is needed, or a `lazy-seq`"
_NO_TRANSDUCER_INTERNALS = "this is an internal part of Clojure's sequences"
_NO_COMPILER = "this is an internal part of Clojure's compiler"
_NO_PRINTING = "how values print is fixed: (pr-str x) reads back, (str x) is for people"
_NO_TESTS = "there is no hook for this"
_NIL, _TRUE, _FALSE = "write `nil`", "write `true`", "write `false`"
_DEFN = "a function is defined with (defn name [parameter …] body …)"
_BRANCHES = "branches are written (if test then else), or (cond test value … :else value)"
_LET = "use (let [name value …] body …)"
_EQUAL = "use (= a b)"
_DOSEQ = "use (doseq [item coll] …), or (map f coll)"

_GROUPS: tuple[tuple[str, str], ...] = (
    # ------------------------------------------------------------------ Clojure
    (
        _NO_ATOMS,
        "atom swap! reset! swap-vals! reset-vals! compare-and-set! volatile! volatile? vreset! vswap! ref ref-set "
        "alter commute ensure dosync sync io! agent send send-off send-via agent-error agent-errors "
        "clear-agent-errors restart-agent error-handler error-mode set-error-handler! set-error-mode! await-for "
        "await1 release-pending-sends shutdown-agents set-agent-send-executor! set-agent-send-off-executor! add-watch "
        "remove-watch set-validator! get-validator ref-history-count ref-max-history ref-min-history seque locking "
        "monitor-enter monitor-exit add-tap remove-tap tap>",
    ),
    (_NO_ASSIGNMENT, "set! setq setf += -= *= /= ++ -- incf decf := <-"),
    (
        _NO_DYNAMIC,
        "binding with-bindings with-bindings* bound-fn bound-fn* with-local-vars with-redefs with-redefs-fn bound? "
        "thread-bound? get-thread-bindings push-thread-bindings pop-thread-bindings with-precision *agent* "
        "*allow-unresolved-vars* *assert* *clojure-version* *compile-files* *compile-path* *compiler-options* "
        "*data-readers* *default-data-reader-fn* *err* *file* *flush-on-newline* *fn-loader* *in* *math-context* *ns* "
        "*out* *print-dup* *print-length* *print-level* *print-meta* *print-namespace-maps* *print-readably* "
        "*read-eval* *reader-resolver* *source-path* *suppress-read* *unchecked-math* *use-context-classloader* "
        "*verbose-defrecords* *warn-on-reflection*",
    ),
    (_NO_VARS, "var var? var-get var-set find-var alter-var-root intern alter-meta! reset-meta!"),
    (
        _NO_NAMESPACES,
        "in-ns create-ns remove-ns find-ns the-ns all-ns ns-name ns-aliases ns-imports ns-interns ns-map ns-publics "
        "ns-refers ns-resolve ns-unalias ns-unmap resolve requiring-resolve refer refer-clojure alias loaded-libs "
        "namespace-munge import* with-loading-context compile load load-reader add-classpath",
    ),
    (
        _NO_METHODS,
        "defmulti defmethod get-method methods prefer-method prefers remove-method remove-all-methods derive underive "
        "isa? parents ancestors descendants make-hierarchy",
    ),
    (
        _NO_PROTOCOLS,
        "defprotocol extend extend-type extend-protocol extenders extends? satisfies? find-protocol-impl "
        "find-protocol-method -cache-protocol-fn -reset-methods method-sig definterface reify reify* proxy "
        "proxy-super proxy-mappings proxy-name proxy-call-with-super construct-proxy init-proxy update-proxy "
        "get-proxy-class",
    ),
    (
        NO_DATES,
        "plusSeconds plusMinutes plusHours plusDays plusWeeks plusMonths plusYears minusSeconds minusMinutes "
        "minusHours minusDays minusWeeks minusMonths minusYears "
        "getYear getMonth getMonthValue getDayOfMonth getDayOfWeek "
        "getDayOfYear getHour getMinute getSecond getTime toEpochDay toEpochMilli toInstant toLocalDate withDayOfMonth "
        "lengthOfMonth isLeapYear isBefore isAfter atStartOfDay strftime strptime datetime timedelta",
    ),
    (_NO_TEST_MACROS, "deftest is are testing use-fixtures run-tests run-all-tests"),
    ("use (println value), or (pr-str value) for the text", "pprint pp pprint/pprint clojure.pprint/pprint"),
    ("use (format pattern value …) or `str/join`", "cl-format pprint/cl-format clojure.pprint/cl-format"),
    (_NO_RECORDS, "defrecord record? struct struct-map create-struct defstruct* accessor deftype*"),
    (
        _NO_CLASSES,
        "class gen-class gen-interface bases supers bean memfn cast primitives-classnames enumeration-seq "
        "iterator-seq resultset-seq xml-seq self this super extends implements",
    ),
    ("use (type-name x), which gives a text, or a predicate such as `map?`", "type instance? class? typeof isinstance"),
    (
        _NO_ARRAYS,
        "aclone aget alength amap areduce aset aset-boolean aset-byte aset-char aset-double aset-float aset-int "
        "aset-long aset-short boolean-array byte-array char-array double-array float-array int-array long-array "
        "object-array short-array make-array into-array to-array to-array-2d vector-of booleans bytes chars doubles "
        "floats ints longs shorts bytes? ->Vec ->VecNode ->VecSeq ->ArrayChunk",
    ),
    (_NO_METADATA, "with-meta vary-meta"),
    (
        _NO_RANDOM,
        "rand rand-int rand-nth random-sample random-uuid shuffle clojure.math/random Math/random math/random "
        "UUID/randomUUID java.util.UUID/randomUUID",
    ),
    (_NO_SORTED, "sorted-map sorted-map-by sorted-set sorted-set-by subseq rsubseq"),
    (
        _NO_IO,
        "slurp spit read-line line-seq file-seq with-open with-in-str flush open require-file input PrintWriter-on "
        "io/reader io/writer clojure.java.io/reader",
    ),
    ("build the text with `str` and `join` instead of printing it", "with-out-str"),
    (_NO_EVAL, "eval load-string load-file macroexpand-all clojure.walk/macroexpand-all walk/macroexpand-all exec"),
    (
        _NO_READER,
        "read read+string clojure.edn/read edn/read default-data-readers reader-conditional reader-conditional? "
        "tagged-literal tagged-literal?",
    ),
    (
        _NO_PROMISES,
        "future future-call future-cancel future-cancelled? future-done? future? promise deliver await async",
    ),
    ("use (step-parallel form …), or (pmap f coll)", "pcalls pvalues Promise.all"),
    (_NO_DELAY, "delay delay? force"),
    (
        "take (current-time-millis) before and after, and subtract",
        "time System/currentTimeMillis System/nanoTime inst-ms inst-ms* inst? Inst Instant/now Date. LocalDate/now "
        "LocalDateTime/now",
    ),
    ("use (get-env name), a host call", "System/getenv getenv System/getProperty"),
    ("use (thread/sleep milliseconds), a host call", "Thread/sleep"),
    ("a program ends with its last form; an error ends it earlier: (error message)", "System/exit exit quit"),
    (
        _NO_TRANSDUCER_INTERNALS,
        "chunk chunk-append chunk-buffer chunk-cons chunk-first chunk-next chunk-rest chunked-seq? ->Eduction "
        "EMPTY-NODE hash-combine hash-ordered-coll hash-unordered-coll mix-collection-hash",
    ),
    (
        _NO_COMPILER,
        "let* loop* fn* letfn* case* . & definline destructure munge special-symbol? seq-to-map-for-destructuring "
        "StackTraceElement->vec Throwable->map clojure-version",
    ),
    (_NO_PRINTING, "print-method print-dup print-ctor print-simple char-escape-string char-name-string"),
    (
        _NO_TESTS,
        "test find-keyword hash clojure.walk/prewalk-demo clojure.walk/postwalk-demo prewalk-demo postwalk-demo",
    ),
    ("in a macro's template write name#, which gives a new name at each expansion", "gensym"),
    ("a map is written {:key value}, and keeps its order", "dict make-hash-table hash make-hash Object"),
    ("use (repeat n x)", "replicate"),
    ("use (macroexpand form)", "macroexpand-1"),
    ("this is a name of the prompt only", "*1 *2 *3 *e"),
    (
        "ints have any size: use the plain operation",
        "unchecked-add-int unchecked-byte unchecked-char unchecked-dec-int unchecked-divide-int unchecked-double "
        "unchecked-float unchecked-inc-int unchecked-int unchecked-multiply-int unchecked-negate-int "
        "unchecked-remainder-int unchecked-short unchecked-subtract-int",
    ),
    ("use (re-seq pattern text), which gives all matches", "re-matcher"),
    ("there are no ratios: `/` of ints gives an int or a float", "numerator denominator"),
    ("the arguments of a script are @args", "*command-line-args* sys.argv process.argv"),
    ("use (loop [name value …] … (recur …)), or a `step-loop`", "while until repeat-until"),
    ("there are no URIs of their own: texts", "uri?"),
    ("use (throw {:code :my/error :message text})", "raise signal throw-error"),
    # ------------------------------------------------------------------ definitions
    (_DEFN, "defun define func def* fun proc sub"),
    (_DEFN + "; without a name, (fn [parameter …] body …)", "function =>"),
    ("names never change: (def name value), or (let [name value] …)", "const defvar defparameter defconstant static"),
    (_LET, "let-values letrec let-syntax with as"),
    ("functions that call each other locally: (letfn [(f [x] …)] …)", "labels flet"),
    ("use (defmacro name [parameter …] `(list ~x))", "define-syntax macro syntax-rules"),
    ("call it as (f x …), or (apply f args)", "funcall invoke"),
    # ------------------------------------------------------------------ flow
    ("the value of a function is its last form", "return return-from"),
    (_BRANCHES, "elif else else-if elseif then elsif if-else ifelse"),
    ("use (match value pattern result … _ default), or `case`", "switch case-of select"),
    ("a `loop` ends when its body does not `recur`; (reduced x) ends a `reduce`", "break"),
    ("use `filter`, or `when` in the body", "continue"),
    (_DOSEQ, "foreach for-each forEach dolist each"),
    ("use (when-not test body …)", "unless"),
    ("use `do`", "progn begin prog1"),
    ("there are no generators: give a vector, or a `lazy-seq`", "yield"),
    (
        "write (try … (catch Exception e …) (finally …))",
        "except rescue handler-case unwind-protect guard ensure-finally",
    ),
    ("leave it out: an empty body is nil", "pass"),
    # ------------------------------------------------------------------ names of other languages for what there is
    (_NIL, "None null undefined NULL Nil"),
    (_TRUE, "True TRUE #t"),
    (_FALSE, "False FALSE #f"),
    ("use (count coll)", "len size sizeof"),
    ("use (conj coll item) for one item, (concat a b) for two collections", "append"),
    ("use (conj coll item)", "push add append!"),
    ("use (concat a b)", "extend"),
    ("use (first coll)", "car head"),
    ("use (rest coll)", "cdr tail"),
    ("use (second coll)", "cadr"),
    ("use (nth coll index)", "caddr list-ref vector-ref elt at"),
    ("use (get m key)", "hash-ref gethash getattr getOrDefault"),
    ("use (empty? coll)", "null? is-empty isEmpty"),
    ("use (nil? x)", "is-nil isNull isnull"),
    ("use (list? x) or (vector? x)", "listp pair? consp is-list isArray Array.isArray"),
    (_EQUAL, "equal? eq? eqv? eq eql equal equalp === equals string=?"),
    ("use (not= a b)", "!== <> /= neq not-equal"),
    (
        "use (str a b) for texts, (concat a b) for collections",
        "concatenate strcat string-append string-concat concat-str ++",
    ),
    ("use (str value)", "to-string toString number->string tostring repr symbol->string"),
    (
        "use (parse-long text) or (parse-double text), nil if it does not parse",
        "parseInt parseFloat string->number parse-number to-int to-number Number",
    ),
    ("use (upper text)", "toUpper toUpperCase string-upcase uppercase to-upper"),
    ("use (lower text)", "toLower toLowerCase string-downcase lowercase to-lower"),
    ("use (trim text)", "strip"),
    ("use (starts-with? text prefix)", "startsWith startswith starts-with string-prefix?"),
    ("use (ends-with? text suffix)", "endsWith endswith ends-with string-suffix?"),
    ("use (contains? coll item)", "includes in member memq has elem"),
    ("use (index-of coll item)", "indexOf position find-index"),
    ("use (sort coll)", "sorted sort! order-by"),
    ("use (reverse coll)", "reversed"),
    ("use (reduce f initial coll)", "foldl fold foldr fold-left fold-right accumulate inject"),
    ("use (map f coll)", "mapcar collect fmap"),
    ("use (filter f coll)", "remove-if-not select-if where"),
    ("use (remove f coll)", "remove-if reject"),
    ("use (every? f coll)", "all every andmap"),
    ("use (map-indexed (fn [i x] …) coll)", "enumerate each-with-index"),
    ("use (assoc m key value)", "put hash-set! dict-set"),
    ("use (dissoc m key)", "del delete remove-key"),
    ("use (keys m)", "Object.keys hash-keys"),
    ("use (vals m)", "Object.values values hash-values"),
    ("use (seq m), which gives [key value] entries", "Object.entries items"),
    ("use (parse-json text)", "JSON.parse json.loads json-parse from-json"),
    ("use (serialize-json value)", "JSON.stringify json.dumps to-json json-stringify"),
    ("use (zero? n)", "zerop"),
    ("use (even? n)", "evenp"),
    ("use (odd? n)", "oddp"),
    ("use (number? x)", "numberp"),
    ("use (string? x)", "stringp"),
    ("use (vec coll)", "list->vector to-vector array"),
    ("use (and a b)", "&&"),
    ("use (or a b)", "||"),
    ("use (not value)", "!"),
    ("use (mod a b); `%` is the argument within #(…)", "%"),
    ("use (pow base exponent)", "** ^ expt"),
    ("use (quot a b); a comment begins with `;`", "//"),
    ("use (inc n)", "1+"),
    ("use (dec n)", "1-"),
    ("use (println value …)", "console.log echo display puts"),
    ("use (http-fetch url), a host call", "fetch http-get requests.get"),
    ("write (import name), or (require '[clojure.string :as str])", "from include"),
    ("true is written `true`; a test that always holds in `cond` is :else", "t"),
)

HINTS: dict[str, str] = {name: hint for hint, names in _GROUPS for name in names.split()}


_CLASSES_OF_DATES = (
    "LocalDate LocalDateTime LocalTime ZonedDateTime OffsetDateTime Instant Duration Period ChronoUnit DayOfWeek Month "
    "DateTimeFormatter TemporalAdjusters ZoneId ZoneOffset Year YearMonth Date Calendar GregorianCalendar "
    "SimpleDateFormat TimeUnit Timestamp TimeZone"
)
DATES = frozenset(_CLASSES_OF_DATES.split())
"""Java's classes of dates and times."""

_MODULES: tuple[tuple[str, str], ...] = (
    (NO_DATES, "java.time java.util.Date java.util.Calendar java.text java-time clj-time tick cljc.java-time jt"),
    (NO_JAVA_CLASSES, "java javax"),
    (_NO_TEST_MACROS, "clojure.test midje expectations"),
    ("leave it out: (println value) shows a value, (pr-str value) is its text", "clojure.pprint fipp puget"),
    (_NO_PROMISES, "clojure.core.async manifold promesa"),
    (_NO_IO, "clojure.java.io clojure.java.shell babashka.fs me.raynes.fs"),
    ("walk trees with `update-in`, `tree-seq` or clojure.walk", "clojure.zip"),
    (
        "a type is checked where it is written, (defn f [n : int] : int …), see (defstruct …)",
        "clojure.spec schema malli",
    ),
    (
        "use (http-fetch url), a host call, or a capability",
        "clj-http hato org.httpkit babashka.http-client babashka.curl",
    ),
    ('use (str/split line #",") or a capability', "clojure.data.csv"),
    ("JSON has the names of clojure.data.json: (json/read-str text), (json/write-str value)", "jsonista charred"),
    ("log with (log value …), a host call", "clojure.tools.logging taoensso.timbre"),
    ("use `map`, `filter`, `reduce` and transducers", "clojure.core.reducers net.cgrand.xforms medley"),
)


def module_hint(name: str) -> str | None:
    """The replacement for a Clojure or Java module that does not exist here, or None."""
    for hint, names in _MODULES:
        for one in names.split():
            if name == one or name.startswith((f"{one}.", f"{one}/")):
                return hint
    return None


def constructor_hint(name: str) -> str:
    """The replacement for `(Name. …)` with a class that is not an error class."""
    if name.rpartition(".")[2] in DATES:
        return NO_DATES
    return f"objects are made of errors only, (Exception. message); {_NO_RECORDS}"


def hint_for(name: str) -> str | None:
    """The replacement for an undefined name, or None."""
    found = HINTS.get(name)
    if found is None and name.endswith("'"):
        return 'a string is written with double quotes: "text"'
    if found is not None:
        return found
    if "/" in name[1:]:
        return _of_another_module(name)
    if "." in name[1:-1]:
        return _with_a_dot(name)
    if name[:1] == "." and name[1:2].isalpha():
        return f"there is no access with a dot: the value of a key is (:{name[1:]} value)"
    if name.endswith(".") and name[:1].isupper():
        return (
            f"there are no classes but those of errors, (Exception. message); a value like `{name}` is a map or a text"
        )
    return None


def _of_another_module(name: str) -> str:
    module, _, rest = name.rpartition("/")
    if module.rpartition(".")[2] in DATES:
        return NO_DATES
    found = module_hint(module) or HINTS.get(rest)
    if found is not None:
        return found
    if module.rpartition(".")[2][:1].isupper():
        return (
            "there are no Java classes but the pure methods of Math, Integer, Long, Double, Boolean, String, Character"
        )
    return f"a module is imported before it is used: (import {module}), or (require '[its.name :as {module}])"


def _with_a_dot(name: str) -> str:
    if name.startswith(("ccos.", "mcp.")):
        return f'the id of a capability is written in quotes: (call "{name}" …)'
    whole, _, part = name.rpartition(".")
    if whole == "Math":
        return f"write `Math/{part}`"
    access = f"to get :{part} out of a map write (:{part} {whole}); the id of a capability is written in quotes"
    return HINTS.get(part) or f"there is no access with a dot: {access}"
