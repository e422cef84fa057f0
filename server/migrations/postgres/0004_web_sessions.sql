-- Browsers signed in to the server's own pages, and browsers on their way there.

CREATE TABLE web_sessions (
    -- SHA-256 of the cookie.
    hash       BYTEA   NOT NULL PRIMARY KEY,
    session_id TEXT    NOT NULL UNIQUE REFERENCES sessions (id),
    -- When the person proved who they are.
    proved_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX web_sessions_age ON web_sessions (expires_at);

CREATE TABLE sign_ins (
    -- SHA-256 of the cookie.
    hash       BYTEA   NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL,
    next       TEXT    NOT NULL,
    -- Set once the code was right and a second factor is awaited.
    user_id    TEXT    REFERENCES users (id),
    proved_at  BIGINT,
    expires_at BIGINT NOT NULL,
    CHECK ((user_id IS NULL) = (proved_at IS NULL))
);
CREATE INDEX sign_ins_age ON sign_ins (expires_at);
