-- Files of reports. Their content is in the store of files, under keys that say nothing.

-- Until when a report is kept: unset for those that were made before there was such a date.
ALTER TABLE reports ADD COLUMN retain_until BIGINT;
-- While files of it are awaited: when it is given up. Unset once it is complete.
ALTER TABLE reports ADD COLUMN lapses_at    BIGINT;
CREATE INDEX reports_to_retire ON reports (retain_until);
CREATE INDEX reports_to_lapse ON reports (lapses_at);

-- What may lie in the store: a row is written before its object is, and goes after it.
CREATE TABLE stored_objects (
    key    TEXT    NOT NULL PRIMARY KEY,
    state  TEXT    NOT NULL CHECK (state IN ('uploading', 'live', 'doomed')),
    -- When an upload is given up, or an object that nobody needs is deleted.
    due_at BIGINT NOT NULL
);
CREATE INDEX stored_objects_due ON stored_objects (state, due_at);

CREATE TABLE report_files (
    report_id    TEXT    NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    -- Its place in the manifest, from 1.
    place        BIGINT NOT NULL,
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    media_type   TEXT    NOT NULL,
    size         BIGINT NOT NULL,
    sha256       BYTEA   NOT NULL,
    -- Unset until its content has arrived.
    object_key   TEXT    UNIQUE REFERENCES stored_objects (key),
    PRIMARY KEY (report_id, place)
);
CREATE INDEX report_files_of_workspace ON report_files (workspace_id);

-- However a file's row goes, its object goes too.
CREATE FUNCTION report_file_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stored_objects SET state = 'doomed', due_at = 0 WHERE key = OLD.object_key;
    RETURN NULL;
END $$;
CREATE TRIGGER report_file_gone AFTER DELETE ON report_files
    FOR EACH ROW WHEN (OLD.object_key IS NOT NULL) EXECUTE FUNCTION report_file_gone();
