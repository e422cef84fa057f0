-- What a session was given for, how its holder proved who they are, and where it was last seen.

ALTER TABLE users ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN plan TEXT NOT NULL DEFAULT 'free';
ALTER TABLE users ADD COLUMN platform_role TEXT NOT NULL DEFAULT 'none' CHECK (platform_role IN ('none', 'admin'));

ALTER TABLE sessions ADD COLUMN grant_kind TEXT NOT NULL DEFAULT 'first_party'
    CHECK (grant_kind IN ('first_party', 'web', 'oauth', 'cli'));
ALTER TABLE sessions ADD COLUMN how TEXT NOT NULL DEFAULT 'otp' CHECK (how IN ('otp', 'device', 'browser'));
-- Of a grant to an OAuth client.
ALTER TABLE sessions ADD COLUMN client_id TEXT;
ALTER TABLE sessions ADD COLUMN scope TEXT;
-- Of a grant to the achilles CLI.
ALTER TABLE sessions ADD COLUMN org_id TEXT;
ALTER TABLE sessions ADD COLUMN org_role TEXT;
-- The network address (IPv6: its /64) and the program that signed in, and where the session was last seen.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN program TEXT;
ALTER TABLE sessions ADD COLUMN last_seen_at BIGINT;
ALTER TABLE sessions ADD COLUMN last_seen_from TEXT;
