-- Why an execution ended in ERROR, in a word; NULL in all other states.
ALTER TABLE executions ADD COLUMN failure TEXT COLLATE "C";
