-- What the achilles CLI is granted: the workspace that its user chose to act in, and a role of the host's for those who are in none.

ALTER TABLE users ADD COLUMN organisation TEXT;
ALTER TABLE users ADD COLUMN achilles_role TEXT CHECK (achilles_role IN ('admin', 'operator', 'analyst', 'explorer'));
