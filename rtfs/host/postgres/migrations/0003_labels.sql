-- Labels of values of ccos.state.kv.* and of files, under flow rules.

CREATE TABLE rtfs.label (
    place text,
    digest text,
    labels text NOT NULL,
    PRIMARY KEY (place, digest)
);
