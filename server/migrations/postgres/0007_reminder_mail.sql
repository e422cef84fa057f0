-- The letter of a reminder that is due.

-- When it is posted: at first when the reminder fires; while somebody posts it, when their lease ends; after a failure,
-- the next try. Unset once it was posted or given up.
ALTER TABLE reminders ADD COLUMN mail_at BIGINT;
-- Whose turn it is: a word of whoever posts it, unset whenever the reminder is set.
ALTER TABLE reminders ADD COLUMN mail_claim TEXT;
ALTER TABLE reminders ADD COLUMN mail_tries BIGINT NOT NULL DEFAULT 0;
UPDATE reminders SET mail_at = fire_at;
CREATE INDEX reminders_to_mail ON reminders (mail_at);
