-- OAuth clients, and authorization codes on their way from the browser to the client.

CREATE TABLE clients (
    id             TEXT    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL,
    auth_method    TEXT    NOT NULL CHECK (auth_method IN ('none', 'client_secret_basic', 'client_secret_post')),
    secret_hash    BLOB,
    -- JSON lists of text.
    redirect_uris  TEXT    NOT NULL,
    grant_types    TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    -- Set by the operator: it may introspect the access tokens of every client.
    introspects    INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    CHECK ((auth_method = 'none') = (secret_hash IS NULL))
) STRICT;

CREATE TABLE authorization_codes (
    hash         BLOB    NOT NULL PRIMARY KEY,
    client_id    TEXT    NOT NULL REFERENCES clients (id),
    user_id      TEXT    NOT NULL REFERENCES users (id),
    redirect_uri TEXT    NOT NULL,
    -- The S256 challenge, decoded.
    challenge    BLOB    NOT NULL,
    scope        TEXT    NOT NULL,
    nonce        TEXT,
    -- When the user proved who they are.
    auth_time    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- The session that its first use began.
    session_id   TEXT REFERENCES sessions (id)
) STRICT;
CREATE INDEX authorization_codes_age ON authorization_codes (expires_at);

-- When the access token of a session lapses that has no refresh token.
ALTER TABLE sessions ADD COLUMN access_expires_at INTEGER;
