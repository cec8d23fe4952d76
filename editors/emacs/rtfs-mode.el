;;; rtfs-mode.el --- Editing RTFS plans  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0
;; Package-Requires: ((emacs "29.1"))
;; Keywords: languages

;;; Commentary:

;; A major mode for .rtfs files, and the language server `rtfs lsp' for Eglot: M-x eglot starts it.
;; The lists of words are made by: python -m rtfs.testing.editor_files --write

;;; Code:

(defgroup rtfs nil
  "Editing RTFS plans."
  :group 'languages)

(defcustom rtfs-server-command '("rtfs" "lsp")
  "Command and arguments that start the language server."
  :type '(repeat string)
  :group 'rtfs)

(defconst rtfs-mode-forms
  '("and" "call" "capability" "catch" "def" "defmacro" "defn" "defn-"
    "defstruct" "deftype" "deref" "do" "export" "finally" "fn" "get" "if"
    "import" "lambda" "let" "loop" "macroexpand" "match" "module" "new" "ns"
    "or" "parallel*" "plan" "quasiquote" "quote" "recur" "require"
    "resource:ref" "step" "step-loop" "step-parallel" "throw" "try" "unquote"
    "unquote-splicing" "use" "with-context" "λ")
  "The special forms.")

(defconst rtfs-mode-macros
  '(".." "as->" "assert" "case" "comment" "cond" "cond->" "cond->>" "condp"
    "declare" "defonce" "doseq" "dotimes" "doto" "for" "if-let" "if-not"
    "if-some" "lazy-cat" "lazy-seq" "letfn" "some->" "some->>" "step-if"
    "when" "when-first" "when-let" "when-not" "when-some")
  "The macros of the standard library.")

(defconst rtfs-mode-body-forms
  '("as->" "call" "capability" "case" "catch" "cond" "do" "doseq" "dotimes"
    "finally" "fn" "for" "if" "if-let" "if-not" "lambda" "let" "loop" "match"
    "module" "plan" "some->" "step" "step-if" "step-loop" "step-parallel"
    "try" "when" "when-let" "when-not" "λ")
  "The names after which `rtfs fmt' indents by two columns.")

(defvar rtfs-mode-syntax-table
  (let ((table (make-syntax-table)))
    (dolist (character '(?+ ?- ?* ?/ ?< ?> ?= ?! ?? ?$ ?% ?& ?_ ?.))
      (modify-syntax-entry character "_" table))
    (modify-syntax-entry ?: "_" table)
    (modify-syntax-entry ?\s " " table)
    (modify-syntax-entry ?, " " table)
    (modify-syntax-entry ?\; "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (modify-syntax-entry ?# "_ 14bn" table)
    (modify-syntax-entry ?| "_ 23bn" table)
    (modify-syntax-entry ?' "'" table)
    (modify-syntax-entry ?` "'" table)
    (modify-syntax-entry ?~ "'" table)
    (modify-syntax-entry ?@ "'" table)
    (modify-syntax-entry ?^ "'" table)
    (modify-syntax-entry ?\( "()" table)
    (modify-syntax-entry ?\) ")(" table)
    (modify-syntax-entry ?\[ "(]" table)
    (modify-syntax-entry ?\] ")[" table)
    (modify-syntax-entry ?\{ "(}" table)
    (modify-syntax-entry ?\} "){" table)
    table)
  "Syntax table of `rtfs-mode': comments are `;' and nested `#| |#'.")

(defconst rtfs-mode-font-lock-keywords
  `((,(concat "(\\(" (regexp-opt '("def" "defn" "defmacro" "deftype" "defstruct" "defonce"))
              "\\)[[:space:]]+\\(\\(?:\\sw\\|\\s_\\)+\\)")
     (1 font-lock-keyword-face)
     (2 font-lock-function-name-face))
    (,(concat "(\\(" (regexp-opt (append rtfs-mode-forms rtfs-mode-macros)) "\\)\\_>")
     (1 font-lock-keyword-face))
    ("\\_<\\(?:nil\\|true\\|false\\)\\_>" . font-lock-constant-face)
    ("\\_<:\\(?:\\sw\\|\\s_\\)+" . font-lock-builtin-face)
    ("\\_<[+-]?[0-9]+\\(?:\\.[0-9]+\\)?\\(?:[eE][+-]?[0-9]+\\)?[MN]?\\_>" . font-lock-constant-face)
    ("\\_<[+-]?0\\(?:x[0-9a-fA-F]+\\|o[0-7]+\\|b[01]+\\)N?\\_>" . font-lock-constant-face)
    ("\\\\[^[:space:]]\\(?:\\sw\\|\\s_\\)*" . font-lock-constant-face))
  "What `rtfs-mode' highlights.")

(defun rtfs-mode-indent-line ()
  "Indent the current line as `rtfs fmt' does; lines within strings are left alone."
  (interactive)
  (let* ((from-end (- (point-max) (point)))
         (state (save-excursion (syntax-ppss (line-beginning-position))))
         (open (nth 1 state)))
    (unless (nth 3 state)
      (indent-line-to (if open (rtfs-mode--column-within open) 0))
      (when (> (- (point-max) from-end) (point))
        (goto-char (- (point-max) from-end))))))

(defun rtfs-mode--column-within (open)
  "Column of a line whose innermost bracket is at OPEN."
  (save-excursion
    (let ((limit (line-beginning-position))
          column)
      (goto-char open)
      (setq column (current-column))
      (forward-char 1)
      (cond ((not (and (eq (char-before) ?\() (looking-at "\\(?:\\sw\\|\\s_\\)+")))
             (1+ column))
            ((rtfs-mode--body-form-p (match-string-no-properties 0))
             (+ column 2))
            (t
             (goto-char (match-end 0))
             (skip-chars-forward " \t," limit)
             (if (or (eolp) (looking-at ";"))
                 (+ column 2)
               (current-column)))))))

(defun rtfs-mode--body-form-p (name)
  "Whether the form NAME is followed by a body."
  (or (string-prefix-p "def" name)
      (member name rtfs-mode-body-forms)))

;;;###autoload
(define-derived-mode rtfs-mode prog-mode "RTFS"
  "Major mode for RTFS plans."
  :syntax-table rtfs-mode-syntax-table
  (setq-local comment-start ";; ")
  (setq-local comment-start-skip ";+[ \t]*")
  (setq-local comment-end "")
  (setq-local indent-tabs-mode nil)
  (setq-local parse-sexp-ignore-comments t)
  (setq-local indent-line-function #'rtfs-mode-indent-line)
  (setq-local font-lock-defaults '(rtfs-mode-font-lock-keywords)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.rtfs\\'" . rtfs-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons 'rtfs-mode (lambda (&rest _) rtfs-server-command))))

(provide 'rtfs-mode)
;;; rtfs-mode.el ends here
