-- Runs in every new connection. The lock lets one after the other make the table, and the second
-- one finds it there. Its number means nothing; no other program should take the same.
SELECT pg_advisory_xact_lock(20170);

CREATE TABLE IF NOT EXISTS messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 80),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    written_at timestamptz NOT NULL DEFAULT now()
);
