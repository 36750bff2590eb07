-- PostgreSQL measures by itself what its indexes are like. A pair of the other database's.
SELECT 1;
