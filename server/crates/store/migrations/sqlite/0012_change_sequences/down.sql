ALTER TABLE changes DROP COLUMN sequences;
