" Highlighting of RTFS. The lines of words are made by: python -m rtfs.testing.editor_files --write
if exists("b:current_syntax")
  finish
endif
syntax iskeyword 33,36-38,42-43,45-58,60-63,65-90,95,97-122,192-255
syntax case match

syntax keyword rtfsForm and call capability catch def defmacro defn defn- defstruct deftype deref do export finally fn get if import lambda let loop macroexpand match module new ns or parallel* plan quasiquote quote recur require resource:ref step step-loop step-parallel throw try unquote unquote-splicing use with-context λ
syntax keyword rtfsMacro .. as-> assert case comment cond cond-> cond->> condp declare defonce doseq dotimes doto for if-let if-not if-some lazy-cat lazy-seq letfn some-> some->> step-if when when-first when-let when-not when-some
syntax keyword rtfsConstant nil true false
syntax match rtfsKeyword "\v%(^|[[:space:](,\[{}\])'`~@^#])@<=:[^[:space:]"#'(),:;@\[\\\]^`{|}~][^[:space:]"(),;@\[\\\]^`{|}~]*"
syntax match rtfsNumber "\v%(^|[[:space:](,\[{])@<=[+-]?\d+%(\.\d+)?%([eE][+-]?\d+)?[MN]?%($|[[:space:]),;\]}])@="
syntax match rtfsNumber "\v%(^|[[:space:](,\[{])@<=[+-]?0%(x\x+|o\o+|b[01]+)N?%($|[[:space:]),;\]}])@="
syntax match rtfsNumber "\v##%(-?Inf|NaN)"
syntax match rtfsCharacter "\v\\[^[:space:]][^[:space:]"(),:;@\[\\\]^`{|}~]*"
syntax match rtfsEscape contained "\v\\%(u\x{4}|[ntr\\"])"
syntax region rtfsString start=+"+ skip=+\\.+ end=+"+ contains=rtfsEscape,@Spell
syntax region rtfsRegex start=+#"+ skip=+\\.+ end=+"+
syntax match rtfsComment ";.*$" contains=@Spell
syntax match rtfsComment "\%^#!.*$"
syntax region rtfsBlock start="#|" end="|#" contains=rtfsBlock,@Spell
syntax match rtfsPrefix "#_\|\~@\|['`~@^]"
syntax sync fromstart

highlight default link rtfsForm Statement
highlight default link rtfsMacro Macro
highlight default link rtfsConstant Boolean
highlight default link rtfsKeyword Constant
highlight default link rtfsNumber Number
highlight default link rtfsCharacter Character
highlight default link rtfsEscape SpecialChar
highlight default link rtfsString String
highlight default link rtfsRegex String
highlight default link rtfsComment Comment
highlight default link rtfsBlock Comment
highlight default link rtfsPrefix Special

let b:current_syntax = "rtfs"
