-- Moments are milliseconds since 1970. Hashes are 32 bytes. No secret is stored in clear.

CREATE TABLE users (
    id         TEXT    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    status     TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at INTEGER NOT NULL
) STRICT;

-- One row per email: only the newest code counts.
CREATE TABLE login_codes (
    email      TEXT    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    code_hash  BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    guesses    INTEGER NOT NULL,
    used       INTEGER NOT NULL
) STRICT;

-- What sliding-window limits count.
CREATE TABLE throttle (
    id      TEXT    NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX throttle_window ON throttle (kind, subject, at);
CREATE INDEX throttle_age ON throttle (at);

CREATE TABLE sessions (
    id              TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    created_at      INTEGER NOT NULL,
    rotated_at      INTEGER,
    generation      INTEGER NOT NULL,
    -- The highest generation of which a refresh or access token has been seen.
    seen_generation INTEGER NOT NULL,
    revoked_at      INTEGER,
    revoked_why     TEXT CHECK (revoked_why IN ('logout', 'replay')),
    CHECK ((revoked_at IS NULL) = (revoked_why IS NULL))
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash          BLOB    NOT NULL PRIMARY KEY,
    session_id    TEXT    NOT NULL REFERENCES sessions (id),
    generation    INTEGER NOT NULL,
    issued_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    consumed_at   INTEGER,
    -- The hash of the idempotency key that consumed it, and the server key its successor derives from.
    consumed_key  BLOB,
    successor_key TEXT,
    UNIQUE (session_id, generation)
) STRICT;
CREATE INDEX refresh_tokens_consumed ON refresh_tokens (session_id, consumed_at);

CREATE TABLE reminders (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    fire_at INTEGER NOT NULL,
    set_at  INTEGER NOT NULL
) STRICT;

-- Append only.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    user_id    TEXT,
    session_id TEXT,
    generation INTEGER,
    detail     TEXT
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE (ABORT, 'audit is append only'); END;
CREATE TRIGGER audit_is_not_erased BEFORE DELETE ON audit BEGIN SELECT RAISE (ABORT, 'audit is append only'); END;
