-- Durable runs, what they run and what they are told; the ledger's chains; the values of ccos.state.kv.*.

CREATE TABLE rtfs.program (
    digest text PRIMARY KEY,
    text text NOT NULL,
    kept boolean NOT NULL
);

CREATE TABLE rtfs.run (
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    id text PRIMARY KEY,
    program text REFERENCES rtfs.program,
    principal text,
    state text NOT NULL,
    facts text NOT NULL,
    changed text NOT NULL,
    owner integer NOT NULL,
    worker text,
    beat_at timestamptz,
    wake_at timestamptz,
    stop_asked text,
    attempts integer NOT NULL,
    taken_seq bigint NOT NULL,
    began double precision NOT NULL,
    ended double precision
);
CREATE INDEX run_by_beginning ON rtfs.run (began, number);
CREATE INDEX run_by_state ON rtfs.run (state, began);

CREATE TABLE rtfs.event (
    run bigint,
    seq bigint,
    kind text NOT NULL,
    path text NOT NULL,
    subject text NOT NULL,
    value text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (run, seq)
);

CREATE TABLE rtfs.answer (
    run bigint NOT NULL REFERENCES rtfs.run (number) ON DELETE CASCADE,
    number integer NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    used boolean NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE rtfs.ledger (
    chain text,
    seq bigint,
    time bigint NOT NULL,
    kind text NOT NULL,
    run text NOT NULL,
    parent bigint NOT NULL,
    subject text NOT NULL,
    principal text NOT NULL,
    detail text NOT NULL,
    arguments text NOT NULL,
    result text NOT NULL,
    duration bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (chain, seq)
);

CREATE TABLE rtfs.ledger_head (
    chain text PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    seal bytea NOT NULL
);

CREATE TABLE rtfs.ledger_key (
    one boolean PRIMARY KEY CHECK (one),
    print bytea NOT NULL
);

CREATE TABLE rtfs.kv (
    principal text,
    key text,
    value text NOT NULL,
    PRIMARY KEY (principal, key)
);

CREATE TABLE rtfs.kv_done (
    run text,
    machine text,
    call bigint NOT NULL,
    result text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (run, machine)
);
