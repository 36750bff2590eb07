DROP TABLE shards;
DROP TABLE servers;
