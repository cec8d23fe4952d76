; Runs programs in Clojure: a file of EDN strings, one a line, gives a line each, the EDN string of the printed value or
; of «! Class» for an error. A program has the usual aliases and five seconds.
(require 'clojure.string 'clojure.set 'clojure.walk 'clojure.math 'clojure.edn)

(def usual '{str clojure.string, string clojure.string, set clojure.set, walk clojure.walk, math clojure.math,
             edn clojure.edn})

(defn fresh [number]
  (let [space (create-ns (symbol (str "program" number)))]
    (binding [*ns* space]
      (refer 'clojure.core)
      (doseq [[short long] usual] (alias short long)))
    space))

(defn run [number source]
  (let [task (future
               (try (binding [*ns* (fresh number) *print-length* 10000 *out* (java.io.StringWriter.)]
                      (pr-str (load-string source)))
                    (catch Throwable error
                      (let [cause (if (instance? clojure.lang.Compiler$CompilerException error) (or (ex-cause error) error) error)]
                        (str "! " (.getSimpleName (class cause)))))))
        answer (deref task 5000 "! Timeout")]
    (future-cancel task)
    answer))

(with-open [lines (java.io.BufferedReader. (java.io.FileReader. (first *command-line-args*)))]
  (doseq [[number line] (map-indexed vector (line-seq lines))]
    (println (pr-str (run number (read-string line))))))
(shutdown-agents)
