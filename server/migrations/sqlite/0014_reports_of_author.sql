-- What one user's reports take up is asked before each report with files.
CREATE INDEX reports_of_author ON reports (author_id);
