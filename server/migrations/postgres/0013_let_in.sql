-- Which session let another in, so that an alarm about the one ends the other, and its end withdraws what nobody has fetched.
-- Unset: let in before this was kept, or begun with a code.
ALTER TABLE sessions ADD COLUMN approved_by TEXT;
ALTER TABLE authorization_codes ADD COLUMN approved_by TEXT;
ALTER TABLE device_grants ADD COLUMN decided_in TEXT;
CREATE INDEX sessions_approved_by ON sessions (approved_by);
CREATE INDEX authorization_codes_approved_by ON authorization_codes (approved_by);
CREATE INDEX device_grants_decided_in ON device_grants (decided_in);

-- Every session that a remembered browser began, in place of the last one alone.
ALTER TABLE sessions ADD COLUMN remembered_by TEXT;
CREATE INDEX sessions_remembered_by ON sessions (remembered_by);
UPDATE sessions SET remembered_by = (
    SELECT r.id FROM remembered_browsers r JOIN web_sessions w ON w.hash = r.web_hash WHERE w.session_id = sessions.id
) WHERE grant_kind = 'web';
ALTER TABLE remembered_browsers DROP COLUMN web_hash;
-- What was spent before this was kept: from the beginning.
ALTER TABLE spent_browsers ADD COLUMN spent_at BIGINT NOT NULL DEFAULT 0;
-- A browser that was forgotten by hand is kept until it would have lapsed: whoever has a copy of its cookie must not hide that.
ALTER TABLE remembered_browsers ADD COLUMN forgotten_at BIGINT;
