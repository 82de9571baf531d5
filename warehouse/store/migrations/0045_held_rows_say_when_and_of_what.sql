-- table: quarantine.held_rows
-- state_at: the state time of the held row (NULL: none, or not to be read): only the same or a newer state mends it.
-- categories: JSON object of its listed values, such as the channel, each where it is one that may be (NULL: held before this was noted).
ALTER TABLE quarantine.held_rows ADD COLUMN state_at TIMESTAMP;
ALTER TABLE quarantine.held_rows ADD COLUMN categories VARCHAR;
