-- Browsers signed in to the server's own pages, and browsers on their way there.

CREATE TABLE web_sessions (
    -- SHA-256 of the cookie.
    hash       BLOB    NOT NULL PRIMARY KEY,
    session_id TEXT    NOT NULL UNIQUE REFERENCES sessions (id),
    -- When the person proved who they are.
    proved_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX web_sessions_age ON web_sessions (expires_at);

CREATE TABLE sign_ins (
    -- SHA-256 of the cookie.
    hash       BLOB    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL,
    next       TEXT    NOT NULL,
    -- Set once the code was right and a second factor is awaited.
    user_id    TEXT    REFERENCES users (id),
    proved_at  INTEGER,
    expires_at INTEGER NOT NULL,
    CHECK ((user_id IS NULL) = (proved_at IS NULL))
) STRICT;
CREATE INDEX sign_ins_age ON sign_ins (expires_at);
