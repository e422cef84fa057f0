-- Sign-ins approved from another device (RFC 8628), and tokens that a person makes for a tool.

CREATE TABLE device_grants (
    id             TEXT    NOT NULL PRIMARY KEY,
    device_hash    BLOB    NOT NULL UNIQUE,
    -- A user code has 40 bits, which could be searched: its hash is keyed, and the key is not in here.
    user_code_key  TEXT    NOT NULL,
    user_code_hash BLOB    NOT NULL UNIQUE,
    kind           TEXT    NOT NULL CHECK (kind IN ('oauth', 'cli')),
    -- Of a grant to an OAuth client.
    client_id      TEXT,
    scope          TEXT,
    -- Who asks, as the approving page shows it.
    client_name    TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    program        TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    interval_ms    INTEGER NOT NULL,
    polled_at      INTEGER,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'redeemed')),
    -- Who approved or denied it.
    user_id        TEXT REFERENCES users (id),
    decided_at     INTEGER,
    -- When they had proved who they are.
    proved_at      INTEGER,
    CHECK ((kind = 'oauth') = (client_id IS NOT NULL AND scope IS NOT NULL)),
    CHECK ((state = 'pending') = (user_id IS NULL)),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK ((state = 'pending') = (proved_at IS NULL))
) STRICT;
CREATE INDEX device_grants_age ON device_grants (expires_at);

CREATE TABLE personal_tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,
    -- The first three parts of the token: what it is found by, and what may be shown.
    prefix       TEXT    NOT NULL UNIQUE,
    hash         BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX personal_tokens_of_user ON personal_tokens (user_id, created_at);
