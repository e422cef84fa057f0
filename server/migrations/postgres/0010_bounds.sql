-- Who may sign up. Without a row the server decides by how it is reached.
CREATE TABLE sign_up (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    mode TEXT    NOT NULL CHECK (mode IN ('open', 'invited', 'listed', 'closed'))
);

-- `@example.com` for everybody there, `ada@example.com` for one address.
CREATE TABLE sign_up_list (
    entry    TEXT    NOT NULL PRIMARY KEY,
    added_at BIGINT NOT NULL
);

-- Cookies that a remembered browser has used up, to notice when one comes again, and the web session (by the hash of its
-- cookie) that its last use began.
CREATE TABLE spent_browsers (
    hash       BYTEA   NOT NULL PRIMARY KEY,
    browser_id TEXT    NOT NULL REFERENCES remembered_browsers (id) ON DELETE CASCADE
);
CREATE INDEX spent_browsers_of_browser ON spent_browsers (browser_id);
ALTER TABLE remembered_browsers ADD COLUMN web_hash BYTEA;

CREATE INDEX sessions_of_client ON sessions (client_id);

-- A line of the audit may go once newer lines are a month younger, one that tells of an attack once they are a year younger.
CREATE INDEX audit_age ON audit (at);
DROP TRIGGER audit_is_not_changed ON audit;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE FUNCTION audit_keeps_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In parentheses, because plpgsql ends the condition at the first THEN.
    IF OLD.at >= (SELECT MAX(at) FROM audit) - (CASE WHEN OLD.event IN (
        'replay_revoked_all', 'replay_revoked_session', 'made_by_session_ended', 'code_replayed', 'remembered_replayed', 'operator_changed', 'sign_up_changed',
        'user_disabled', 'user_enabled', 'second_factor_off')
        THEN 31536000000 ELSE 2592000000 END)
    THEN
        RAISE EXCEPTION 'audit is append only';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_is_not_erased BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keeps_its_lines();
