-- The database that scripts/bench measures with, beside pgbench's own tables: documents, files, orders, a partitioned log,
-- five hundred small tables and large objects. At :scale 1 all of it dumps to about 1.2 GB.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET client_min_messages = warning;

CREATE TABLE document (id bigint PRIMARY KEY, body jsonb NOT NULL);
INSERT INTO document
SELECT i, jsonb_build_object(
    'id', i,
    'customer', jsonb_build_object('name', 'Customer ' || i % 5000, 'email', md5((i % 5000)::text) || '@example.com'),
    'status', (ARRAY['new', 'paid', 'sent', 'returned'])[1 + i % 4],
    'placed', timestamptz '2024-01-01' + i * interval '37 seconds',
    'token', md5(i::text),
    'lines', (SELECT jsonb_agg(jsonb_build_object('sku', 'SKU-' || (i * 7 + line) % 20000, 'price', (i * line) % 9973 / 100.0,
                                                  'quantity', 1 + (i + line) % 5, 'note', 'left at the door'))
              FROM generate_series(1, 1 + i % 5) AS line))
FROM generate_series(1, 600000 * :scale) AS i;
CREATE INDEX ON document ((body -> 'customer' ->> 'email'));

-- Half of each file is random, half is text: pictures and the like do not compress, pages do.
CREATE TABLE file (id bigint PRIMARY KEY, name text NOT NULL, content bytea NOT NULL);
INSERT INTO file
SELECT i, 'file ' || i || '.bin',
       (SELECT string_agg(sha256((i || ' ' || j)::bytea), '') FROM generate_series(1, 200) AS j)
       || convert_to(repeat('the same line over and over, as in a log' || i, 150), 'UTF8')
FROM generate_series(1, 8000 * :scale) AS i;

CREATE TABLE purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer integer NOT NULL, amount numeric(12, 2) NOT NULL,
    placed timestamptz NOT NULL, address text NOT NULL, score double precision, paid boolean NOT NULL, remark text);
INSERT INTO purchase (customer, amount, placed, address, score, paid, remark)
SELECT i % 50000, (i::bigint * 7919) % 1000000 / 100.0, timestamptz '2023-01-01' + i * interval '11 seconds',
       i % 997 || ' ' || md5((i % 40000)::text) || ' Street, Springfield', sin(i), i % 3 > 0,
       CASE WHEN i % 4 = 0 THEN md5(i::text) END
FROM generate_series(1, 1500000 * :scale) AS i;
CREATE INDEX ON purchase (customer);
CREATE INDEX ON purchase (placed);

CREATE TABLE log (at timestamptz NOT NULL, level smallint NOT NULL, host inet NOT NULL, line text NOT NULL)
    PARTITION BY RANGE (at);
SELECT format('CREATE TABLE log_%s PARTITION OF log FOR VALUES FROM (%L) TO (%L)', month,
              date '2025-01-01' + month * interval '1 month', date '2025-01-01' + (month + 1) * interval '1 month')
FROM generate_series(0, 11) AS month \gexec
INSERT INTO log
SELECT timestamptz '2025-01-01 12:00' + (i % 364) * interval '1 day' + i % 3600 * interval '1 second', i % 7,
       '10.0.0.0'::inet + i % 65536, 'request ' || md5(i::text) || ' took ' || i % 977 || ' ms'
FROM generate_series(1, 1200000 * :scale) AS i;
CREATE INDEX ON log (at);

SELECT format('CREATE TABLE setting_%s AS SELECT i AS id, md5(i::text) AS name, repeat(''v'', i %% 40) AS value
               FROM generate_series(1, 400) AS i; ALTER TABLE setting_%s ADD PRIMARY KEY (id)', number, number)
FROM generate_series(1, 500) AS number \gexec

SELECT count(lo_from_bytea(0, (SELECT string_agg(sha256((i || ' ' || j)::bytea), '') FROM generate_series(1, 20000) AS j)
                              || convert_to(repeat('scanned page ', 80000), 'UTF8')))
FROM generate_series(1, 60 * :scale) AS i;
