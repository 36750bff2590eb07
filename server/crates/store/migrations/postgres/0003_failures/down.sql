ALTER TABLE executions DROP COLUMN failure;
