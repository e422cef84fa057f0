-- Moments are milliseconds since 1970. Hashes are 32 bytes. No secret is stored in clear.

CREATE TABLE users (
    id         TEXT    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    status     TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at BIGINT NOT NULL
);

-- One row per email: only the newest code counts.
CREATE TABLE login_codes (
    email      TEXT    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    code_hash  BYTEA   NOT NULL,
    expires_at BIGINT NOT NULL,
    guesses    BIGINT NOT NULL,
    used       BIGINT NOT NULL
);

-- What sliding-window limits count.
CREATE TABLE throttle (
    id      TEXT    NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX throttle_window ON throttle (kind, subject, at);
CREATE INDEX throttle_age ON throttle (at);

CREATE TABLE sessions (
    id              TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    created_at      BIGINT NOT NULL,
    rotated_at      BIGINT,
    generation      BIGINT NOT NULL,
    -- The highest generation of which a refresh or access token has been seen.
    seen_generation BIGINT NOT NULL,
    revoked_at      BIGINT,
    revoked_why     TEXT CHECK (revoked_why IN ('logout', 'replay')),
    CHECK ((revoked_at IS NULL) = (revoked_why IS NULL))
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash          BYTEA   NOT NULL PRIMARY KEY,
    session_id    TEXT    NOT NULL REFERENCES sessions (id),
    generation    BIGINT NOT NULL,
    issued_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    consumed_at   BIGINT,
    -- The hash of the idempotency key that consumed it, and the server key its successor derives from.
    consumed_key  BYTEA,
    successor_key TEXT,
    UNIQUE (session_id, generation)
);
CREATE INDEX refresh_tokens_consumed ON refresh_tokens (session_id, consumed_at);

CREATE TABLE reminders (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    fire_at BIGINT NOT NULL,
    set_at  BIGINT NOT NULL
);

-- Append only.
CREATE TABLE audit (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    event      TEXT    NOT NULL,
    user_id    TEXT,
    session_id TEXT,
    generation BIGINT,
    detail     TEXT
);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append only';
END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
