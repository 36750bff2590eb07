DROP TABLE batch_operations;
