-- Several live codes for one email, each of the request that asked for it. A code under way during the upgrade is asked
-- for again.
DROP TABLE login_codes;
CREATE TABLE login_codes (
    id           TEXT    NOT NULL PRIMARY KEY,
    email        TEXT    NOT NULL,
    -- SHA-256 of the request_id that was answered, or of the cookie of the browser that asked.
    request_hash BLOB    NOT NULL,
    -- Where it was asked for, and whether the email had signed in from there lately.
    network      TEXT    NOT NULL,
    familiar     INTEGER NOT NULL,
    digits       INTEGER NOT NULL CHECK (digits IN (6, 16)),
    key_id       TEXT    NOT NULL,
    code_hash    BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    -- Guesses: with its request's id, and without one from the network that asked and from others.
    by_id        INTEGER NOT NULL,
    by_network   INTEGER NOT NULL,
    by_others    INTEGER NOT NULL
) STRICT;
CREATE INDEX login_codes_of_email ON login_codes (email, created_at);
CREATE INDEX login_codes_age ON login_codes (created_at);

-- Where an email has signed in from.
CREATE TABLE sign_in_networks (
    email   TEXT    NOT NULL,
    network TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (email, network)
) STRICT;
CREATE INDEX sign_in_networks_age ON sign_in_networks (seen_at);
