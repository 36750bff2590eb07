DROP TABLE queues;
DROP TABLE worker_actions;
ALTER TABLE actions DROP COLUMN lease;
