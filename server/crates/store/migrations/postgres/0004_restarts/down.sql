ALTER TABLE executions DROP COLUMN source_uid;
