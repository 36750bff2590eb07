-- How far the history of each changed execution went with the commit, so that the events of all
-- executions can be followed and not their states only: 8 bytes for each uid, big-endian; zeros =
-- the commit added no events. NULL = committed by a version that did not write them.
ALTER TABLE changes ADD COLUMN sequences BLOB;
