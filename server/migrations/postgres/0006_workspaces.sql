-- Workspaces with their members and reports, links that share one report each, and second factors.

CREATE TABLE workspaces (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id      TEXT    NOT NULL REFERENCES users (id),
    role         TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    joined_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_of_user ON members (user_id);

-- By email: whether the address has an account is never looked at.
CREATE TABLE invitations (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    email        TEXT    NOT NULL,
    role         TEXT    NOT NULL CHECK (role IN ('admin', 'member')),
    maker_id     TEXT    NOT NULL REFERENCES users (id),
    expires_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, email)
);
CREATE INDEX invitations_of_email ON invitations (email);

CREATE TABLE reports (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    author_id    TEXT    NOT NULL REFERENCES users (id),
    title        TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX reports_of_workspace ON reports (workspace_id, created_at);

CREATE TABLE shares (
    id             TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of the token in the link.
    hash           BYTEA   NOT NULL UNIQUE,
    report_id      TEXT    NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    workspace_id   TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    maker_id       TEXT    NOT NULL REFERENCES users (id),
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    revoked_at     BIGINT,
    opened         BIGINT NOT NULL,
    last_opened_at BIGINT
);
CREATE INDEX shares_of_report ON shares (report_id);
CREATE INDEX shares_of_maker ON shares (workspace_id, maker_id);

CREATE TABLE second_factors (
    user_id      TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    -- The TOTP secret and the key of the recovery codes' hashes, sealed under the server key with this id; the user's
    -- id is bound to them.
    key_id       TEXT    NOT NULL,
    sealed       BYTEA   NOT NULL,
    created_at   BIGINT NOT NULL,
    -- Unset until a first code has shown that the person's app has the secret; only then does it count.
    confirmed_at BIGINT,
    -- The newest TOTP step that was accepted: that one and earlier ones are accepted no more.
    last_step    BIGINT
);

CREATE TABLE recovery_codes (
    user_id TEXT    NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash    BYTEA   NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE remembered_browsers (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    -- SHA-256 of the token in the cookie.
    hash         BYTEA   NOT NULL UNIQUE,
    program      TEXT    NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX remembered_browsers_of_user ON remembered_browsers (user_id);
