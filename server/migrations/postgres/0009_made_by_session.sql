-- Which session made what outlives it, so that an alarm about the session ends that, too. Unset: made before this was kept.

ALTER TABLE personal_tokens ADD COLUMN session_id TEXT;
ALTER TABLE shares ADD COLUMN session_id TEXT;
ALTER TABLE invitations ADD COLUMN session_id TEXT;
CREATE INDEX personal_tokens_of_session ON personal_tokens (session_id);
CREATE INDEX shares_of_session ON shares (session_id);
CREATE INDEX invitations_of_session ON invitations (session_id);
