-- The records of all nodes. They are the truth; the index beside them ("orderline calls index") is made of them.
CREATE TABLE records (
    id         text COLLATE "C" PRIMARY KEY,          -- of the call; a record that comes twice is one row
    number     bigint GENERATED ALWAYS AS IDENTITY,   -- in the order in which they came
    node       text NOT NULL,                         -- whose call it was
    started_at text NOT NULL,                         -- ISO 8601 with offset
    written_at timestamptz NOT NULL DEFAULT now(),    -- when it came here, or last changed
    record     text NOT NULL                          -- the whole record as JSON, redacted
);
ALTER TABLE records ALTER record SET STATISTICS 0;        -- no words of callers in PostgreSQL's own statistics
CREATE UNIQUE INDEX records_by_number ON records (number);

-- What the index has not taken in yet. Filled by the database itself, so that it notices whoever changes a record.
CREATE TABLE record_changes (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id text NOT NULL
);
CREATE FUNCTION note_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO record_changes (record_id) VALUES (OLD.id);
    ELSE
        INSERT INTO record_changes (record_id) VALUES (NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER record_changed AFTER INSERT OR UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION note_record_change();
