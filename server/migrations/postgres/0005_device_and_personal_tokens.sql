-- Sign-ins approved from another device (RFC 8628), and tokens that a person makes for a tool.

CREATE TABLE device_grants (
    id             TEXT    NOT NULL PRIMARY KEY,
    device_hash    BYTEA   NOT NULL UNIQUE,
    -- A user code has 40 bits, which could be searched: its hash is keyed, and the key is not in here.
    user_code_key  TEXT    NOT NULL,
    user_code_hash BYTEA   NOT NULL UNIQUE,
    kind           TEXT    NOT NULL CHECK (kind IN ('oauth', 'cli')),
    -- Of a grant to an OAuth client.
    client_id      TEXT,
    scope          TEXT,
    -- Who asks, as the approving page shows it.
    client_name    TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    program        TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    expires_at     BIGINT  NOT NULL,
    interval_ms    BIGINT  NOT NULL,
    polled_at      BIGINT,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'redeemed')),
    -- Who approved or denied it.
    user_id        TEXT REFERENCES users (id),
    decided_at     BIGINT,
    -- When they had proved who they are.
    proved_at      BIGINT,
    CHECK ((kind = 'oauth') = (client_id IS NOT NULL AND scope IS NOT NULL)),
    CHECK ((state = 'pending') = (user_id IS NULL)),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK ((state = 'pending') = (proved_at IS NULL))
);
CREATE INDEX device_grants_age ON device_grants (expires_at);

CREATE TABLE personal_tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,
    -- The first three parts of the token: what it is found by, and what may be shown.
    prefix       TEXT    NOT NULL UNIQUE,
    hash         BYTEA   NOT NULL,
    created_at   BIGINT  NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX personal_tokens_of_user ON personal_tokens (user_id, created_at);
