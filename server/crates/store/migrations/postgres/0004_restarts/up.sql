-- The execution that one repeats that was started by a restart; NULL in all others.
ALTER TABLE executions ADD COLUMN source_uid BYTEA;
