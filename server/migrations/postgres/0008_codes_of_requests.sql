-- Several live codes for one email, each of the request that asked for it. A code under way during the upgrade is asked
-- for again.
DROP TABLE login_codes;
CREATE TABLE login_codes (
    id           TEXT    NOT NULL PRIMARY KEY,
    email        TEXT    NOT NULL,
    -- SHA-256 of the request_id that was answered, or of the cookie of the browser that asked.
    request_hash BYTEA   NOT NULL,
    -- Where it was asked for, and whether the email had signed in from there lately.
    network      TEXT    NOT NULL,
    familiar     BIGINT  NOT NULL,
    digits       BIGINT  NOT NULL CHECK (digits IN (6, 16)),
    key_id       TEXT    NOT NULL,
    code_hash    BYTEA   NOT NULL,
    created_at   BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    used         BIGINT  NOT NULL,
    -- Guesses: with its request's id, and without one from the network that asked and from others.
    by_id        BIGINT  NOT NULL,
    by_network   BIGINT  NOT NULL,
    by_others    BIGINT  NOT NULL
);
CREATE INDEX login_codes_of_email ON login_codes (email, created_at);
CREATE INDEX login_codes_age ON login_codes (created_at);

-- Where an email has signed in from.
CREATE TABLE sign_in_networks (
    email   TEXT    NOT NULL,
    network TEXT    NOT NULL,
    seen_at BIGINT  NOT NULL,
    PRIMARY KEY (email, network)
);
CREATE INDEX sign_in_networks_age ON sign_in_networks (seen_at);
