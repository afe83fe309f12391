-- Labelled migrations: what each must be reported as (by class), or that nothing may be said of it.
-- `case` starts one, `in a transaction` is how its framework runs it, `next file` cuts it into files; the last file is judged
-- with those before it as context, and of a good one no file may have a finding.

-- case: destructive
DROP TABLE IF EXISTS users;

-- case: destructive
DROP TABLE users CASCADE;

-- case: destructive
ALTER TABLE users DROP COLUMN IF EXISTS email;

-- case: destructive
ALTER TABLE users DROP COLUMN IF EXISTS email CASCADE, DROP COLUMN IF EXISTS name;

-- case: destructive
TRUNCATE users;

-- case: destructive
TRUNCATE TABLE users, orders RESTART IDENTITY CASCADE;

-- case: destructive
DELETE FROM users;

-- case: destructive
DELETE FROM users WHERE true;

-- case: destructive
DELETE FROM users WHERE 1=1;

-- case: destructive
UPDATE users SET active = false;

-- case: destructive
UPDATE users SET active=false WHERE id=id;

-- case: destructive
DROP SCHEMA IF EXISTS app CASCADE;

-- case: destructive
DROP DATABASE IF EXISTS app;

-- case: destructive
DROP TYPE IF EXISTS mood;

-- case: destructive
DROP TYPE IF EXISTS mood CASCADE;

-- case: destructive
DROP SEQUENCE IF EXISTS s;

-- case: destructive
DROP VIEW IF EXISTS v;

-- case: destructive
DROP MATERIALIZED VIEW IF EXISTS mv;

-- case: destructive
DROP FUNCTION IF EXISTS f(int);

-- case: destructive
DROP TRIGGER IF EXISTS trg ON users;

-- case: destructive
DROP POLICY IF EXISTS p ON users;

-- case: destructive
DROP EXTENSION IF EXISTS postgis;

-- case: destructive
DROP EXTENSION IF EXISTS hstore CASCADE;

-- case: destructive
DROP ROLE IF EXISTS app;

-- case: destructive
DROP OWNED BY app;

-- case: destructive
DO $$ BEGIN DROP TABLE IF EXISTS users; END $$;

-- case: destructive
DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS users'; END $$;

-- case: destructive
DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name='users') THEN EXECUTE 'DROP TABLE users'; END IF; END $$;

-- case: destructive
DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables WHERE schemaname='public' LOOP EXECUTE 'DROP TABLE IF EXISTS ' || quote_ident(r.tablename) || ' CASCADE'; END LOOP; END $$;

-- case: destructive
DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP EXECUTE format('TRUNCATE TABLE %I', r.tablename); END LOOP; END $$;

-- case: destructive
WITH d AS (DELETE FROM users RETURNING *) SELECT count(*) FROM d;

-- case: destructive
BEGIN; DROP TABLE IF EXISTS users; COMMIT;

-- case: destructive
BEGIN; SAVEPOINT a; DROP TABLE IF EXISTS users; RELEASE SAVEPOINT a; COMMIT;

-- case: destructive
CREATE TABLE IF NOT EXISTS app.users(id int); DROP TABLE IF EXISTS other.users;

-- case: destructive
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_key;

-- case: destructive
DROP INDEX CONCURRENTLY IF EXISTS i; DROP TABLE IF EXISTS t2;

-- case: destructive
DROP TABLE IF EXISTS users; CREATE TABLE users (id bigint primary key);

-- case: destructive
ALTER TABLE IF EXISTS ONLY public.users DROP COLUMN IF EXISTS "Email";

-- case: destructive
DELETE FROM users WHERE id IS NOT NULL OR true;

-- case: destructive
UPDATE users SET a=1 WHERE (true);

-- case: destructive
ALTER TABLE users SET UNLOGGED;

-- case: destructive
DROP FOREIGN TABLE IF EXISTS ft;

-- case: destructive
DROP PUBLICATION IF EXISTS p;

-- case: destructive
DROP DOMAIN IF EXISTS d;

-- case: non-idempotent
CREATE TABLE users(id int);

-- case: non-idempotent
CREATE INDEX CONCURRENTLY i ON users(email);

-- case: non-idempotent
CREATE UNIQUE INDEX CONCURRENTLY i ON users(email);

-- case: non-idempotent
CREATE VIEW v AS SELECT 1;

-- case: non-idempotent
CREATE MATERIALIZED VIEW v AS SELECT 1;

-- case: non-idempotent
CREATE SEQUENCE s;

-- case: non-idempotent
CREATE SCHEMA app;

-- case: non-idempotent
CREATE TYPE m AS ENUM('a');

-- case: non-idempotent
CREATE TYPE c AS (a int);

-- case: non-idempotent
CREATE DOMAIN d AS text;

-- case: non-idempotent
CREATE EXTENSION hstore;

-- case: non-idempotent
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1';

-- case: non-idempotent
CREATE PROCEDURE p() LANGUAGE sql AS 'select 1';

-- case: non-idempotent
CREATE AGGREGATE a(int)(sfunc=int4pl,stype=int);

-- case: non-idempotent
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();

-- case: non-idempotent
CREATE POLICY p ON users USING (true);

-- case: non-idempotent
CREATE RULE r AS ON INSERT TO users DO NOTHING;

-- case: non-idempotent
CREATE ROLE app;

-- case: non-idempotent
CREATE USER app;

-- case: non-idempotent
CREATE PUBLICATION p FOR ALL TABLES;

-- case: non-idempotent
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p;

-- case: non-idempotent
CREATE STATISTICS st ON a,b FROM users;

-- case: non-idempotent
CREATE CAST (text AS mood) WITH INOUT;

-- case: non-idempotent
CREATE OPERATOR === (leftarg=int,rightarg=int,function=int4eq);

-- case: non-idempotent
CREATE COLLATION c (locale='C');

-- case: non-idempotent
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();

-- case: non-idempotent
CREATE SERVER s FOREIGN DATA WRAPPER w;

-- case: non-idempotent
CREATE FOREIGN TABLE ft(a int) SERVER s;

-- case: non-idempotent
CREATE USER MAPPING FOR app SERVER s;

-- case: non-idempotent
ALTER TABLE users ADD COLUMN a int;

-- case: non-idempotent
ALTER TABLE users ADD a int;

-- case: non-idempotent
ALTER TABLE IF EXISTS users ADD COLUMN a int;

-- case: non-idempotent
ALTER TABLE users DROP COLUMN a;

-- case: non-idempotent
ALTER TABLE users ADD CONSTRAINT c CHECK (a>0) NOT VALID;

-- case: non-idempotent
ALTER TABLE users DROP CONSTRAINT c;

-- case: non-idempotent
ALTER TABLE users RENAME TO people;

-- case: non-idempotent
ALTER TABLE users RENAME COLUMN a TO b;

-- case: non-idempotent
ALTER TABLE users RENAME CONSTRAINT a TO b;

-- case: non-idempotent
ALTER INDEX i RENAME TO j;

-- case: non-idempotent
ALTER TYPE m ADD VALUE 'x';

-- case: non-idempotent
ALTER TYPE m RENAME VALUE 'x' TO 'y';

-- case: non-idempotent
ALTER TYPE m RENAME TO n;

-- case: non-idempotent
ALTER SCHEMA a RENAME TO b;

-- case: non-idempotent
DROP TABLE users;

-- case: non-idempotent
DROP INDEX CONCURRENTLY i;

-- case: non-idempotent
DROP VIEW v;

-- case: non-idempotent
DROP TYPE m;

-- case: non-idempotent
DROP FUNCTION f();

-- case: non-idempotent
DROP TRIGGER t ON users;

-- case: non-idempotent
DROP POLICY p ON users;

-- case: non-idempotent
DROP SCHEMA s;

-- case: non-idempotent
DROP EXTENSION hstore;

-- case: non-idempotent
DROP ROLE app;

-- case: non-idempotent
INSERT INTO users(id) VALUES (1);

-- case: non-idempotent
INSERT INTO users SELECT * FROM old_users;

-- case: non-idempotent
UPDATE users SET n=n+1 WHERE id=3;

-- case: non-idempotent
UPDATE accounts SET balance = balance * 1.1 WHERE type='x';

-- case: non-idempotent
UPDATE users SET name = name || '_old' WHERE id > 5;

-- case: non-idempotent
SELECT setval('s', 1);

-- case: non-idempotent
ALTER SEQUENCE s RESTART WITH 1;

-- case: non-idempotent
COPY users FROM '/tmp/x';

-- case: non-idempotent
CREATE INDEX CONCURRENTLY ON users(email);

-- case: non-idempotent
CREATE INDEX ON users(email);

-- case: non-idempotent
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1);

-- case: non-idempotent
ALTER TABLE p DETACH PARTITION c CONCURRENTLY;

-- case: non-idempotent
CREATE TABLE users AS SELECT 1;

-- case: non-idempotent
SELECT * INTO newt FROM users;

-- case: non-idempotent
ALTER TABLE users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- case: non-idempotent
ALTER TABLE users SET SCHEMA app;

-- case: non-idempotent
ALTER VIEW v RENAME TO w;

-- case: non-idempotent
ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES b(id) NOT VALID;

-- case: non-idempotent
ALTER PUBLICATION p ADD TABLE users;

-- case: non-idempotent
INSERT INTO c(n) VALUES (1) ON CONFLICT (id) DO UPDATE SET n = c.n + excluded.n;

-- case: non-idempotent
DO $$ BEGIN CREATE TYPE m AS ENUM('a'); END $$;

-- case: non-idempotent
DO $$ BEGIN IF true THEN CREATE TYPE m AS ENUM('a'); END IF; END $$;

-- case: non-idempotent
DO $$ BEGIN CREATE TABLE t(id int); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- case: non-idempotent
DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_table THEN NULL; END $$;

-- case: non-idempotent
DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename='users') THEN ALTER TABLE users ADD COLUMN x int; END IF; END $$;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t(id int); INSERT INTO t VALUES (1);

-- case: non-idempotent
CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'; CREATE TRIGGER t BEFORE INSERT ON users EXECUTE FUNCTION f();

-- case: non-idempotent
ALTER TABLE users ADD PRIMARY KEY (id);

-- case: non-idempotent
ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX i;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS other.t(id int); CREATE TABLE t(id int);

-- case: non-idempotent
UPDATE users SET token = gen_random_uuid() WHERE id=1;

-- case: non-idempotent
ALTER DOMAIN d ADD CONSTRAINT c CHECK (value>0) NOT VALID;

-- case: non-idempotent
ALTER TABLE users INHERIT base;

-- case: non-idempotent
COPY t (a) FROM stdin;
1
\.

-- case: non-idempotent
ALTER TYPE c ADD ATTRIBUTE b int;

-- case: non-idempotent
ALTER TYPE c DROP ATTRIBUTE b;

-- case: non-idempotent
ALTER SEQUENCE s RENAME TO s2;

-- case: non-idempotent
ALTER FUNCTION f() RENAME TO g;

-- case: non-idempotent
ALTER ROLE a RENAME TO b;

-- case: non-idempotent
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int, ADD COLUMN b int;

-- case: non-idempotent
UPDATE users SET active = NOT active WHERE id < 10;

-- case: non-idempotent
UPDATE posts SET tags = array_append(tags, 'x') WHERE id=1;

-- case: non-idempotent
CREATE TABLE t2 (LIKE users);

-- case: non-idempotent
CREATE TABLE m1 PARTITION OF m FOR VALUES IN (1);

-- case: non-idempotent
CREATE TEXT SEARCH CONFIGURATION c (COPY = english);

-- case: non-idempotent
CREATE DATABASE x;

-- case: non-idempotent
CREATE LANGUAGE plperl;

-- case: lock
CREATE INDEX IF NOT EXISTS i ON users(email);

-- case: lock
CREATE UNIQUE INDEX IF NOT EXISTS i ON users(email);

-- case: lock
DROP INDEX IF EXISTS i;

-- case: lock
REINDEX TABLE users;

-- case: lock
REINDEX INDEX i;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS u uuid DEFAULT gen_random_uuid();

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS t timestamptz DEFAULT clock_timestamp();

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS r float DEFAULT random();

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS n bigserial;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS n int GENERATED BY DEFAULT AS IDENTITY;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS g int GENERATED ALWAYS AS (a+1) STORED;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS e text UNIQUE;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS e int REFERENCES o(id);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS e int CHECK (e>0);

-- case: lock
ALTER TABLE users ALTER COLUMN e SET NOT NULL;

-- case: lock
ALTER TABLE users ALTER COLUMN id TYPE bigint;

-- case: lock
ALTER TABLE users ALTER COLUMN id TYPE bigint USING id::bigint;

-- case: lock
ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b(id);

-- case: lock
ALTER TABLE users ADD CONSTRAINT c CHECK (a>0);

-- case: lock
ALTER TABLE users ADD CONSTRAINT u UNIQUE (a);

-- case: lock
ALTER TABLE users ADD CONSTRAINT p PRIMARY KEY (a);

-- case: lock
ALTER TABLE users ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&);

-- case: lock
VACUUM FULL users;

-- case: lock
CLUSTER users USING i;

-- case: lock
REFRESH MATERIALIZED VIEW mv;

-- case: lock
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1);

-- case: lock
ALTER TABLE p DETACH PARTITION c;

-- case: lock
BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; COMMIT;

-- case: lock
ALTER TABLE users SET LOGGED;

-- case: lock
ALTER TABLE users SET TABLESPACE fast;

-- case: lock
ALTER TABLE users SET ACCESS METHOD heap2;

-- case: lock
BEGIN; ALTER TABLE users ADD CONSTRAINT c CHECK (a>0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c; COMMIT;

-- case: lock
BEGIN; ALTER TABLE users ADD COLUMN IF NOT EXISTS x int; UPDATE users SET x = 1 WHERE x IS NULL; COMMIT;

-- case: lock
ALTER DOMAIN d ADD CONSTRAINT c CHECK (value>0);

-- case: lock
ALTER TABLE users ADD CONSTRAINT c CHECK (other IS NOT NULL) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c; ALTER TABLE users ALTER COLUMN e SET NOT NULL;

-- case: lock
CREATE TABLE IF NOT EXISTS app.users(id int); CREATE INDEX IF NOT EXISTS i ON other.users(id);

-- case: lock
BEGIN; CREATE TABLE IF NOT EXISTS t(id int); ROLLBACK; CREATE INDEX IF NOT EXISTS i ON t(id);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS x int DEFAULT nextval('s');

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS x uuid DEFAULT uuid_generate_v4();

-- case: lock
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname='f') THEN ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b(id); END IF; END $$;

-- case: lock
BEGIN; ALTER TABLE users ADD COLUMN IF NOT EXISTS x int; CREATE INDEX IF NOT EXISTS i ON orders(id); COMMIT;

-- case: lock
ALTER TABLE users ALTER COLUMN a SET DATA TYPE varchar(10);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS id2 int PRIMARY KEY;

-- case: lock
REINDEX SCHEMA public;

-- case: lock, in a transaction
ALTER TABLE users ADD CONSTRAINT c CHECK (a>0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c;

-- case: breaking
ALTER TABLE users RENAME TO people;

-- case: breaking
ALTER TABLE users RENAME COLUMN a TO b;

-- case: breaking
ALTER TABLE users ALTER COLUMN a TYPE int USING a::int;

-- case: breaking
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL;

-- case: breaking
ALTER TYPE m RENAME VALUE 'a' TO 'b';

-- case: breaking
ALTER SCHEMA app RENAME TO core;

-- case: breaking
ALTER TYPE m RENAME TO n;

-- case: breaking
ALTER TABLE users SET SCHEMA app;

-- case: breaking
ALTER TABLE users ALTER COLUMN a DROP NOT NULL;

-- case: breaking
ALTER TABLE users ALTER COLUMN a DROP DEFAULT;

-- case: breaking
ALTER VIEW v RENAME TO w;

-- case: breaking
ALTER FUNCTION f(int) RENAME TO g;

-- case: breaking
ALTER TABLE users ALTER a TYPE text USING a::text;

-- case: breaking
ALTER TABLE users ADD COLUMN IF NOT EXISTS j json;

-- case: breaking
ALTER TABLE users DISABLE TRIGGER ALL;

-- case: may-fail
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL;

-- case: may-fail
ALTER TABLE users ALTER COLUMN e SET NOT NULL;

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT u UNIQUE (a);

-- case: may-fail
CREATE UNIQUE INDEX IF NOT EXISTS i ON users(a);

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT c CHECK (a>0);

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b(id);

-- case: may-fail
ALTER TABLE users ALTER COLUMN a TYPE varchar(5);

-- case: may-fail
ALTER TABLE users ALTER COLUMN a TYPE integer USING a::integer;

-- case: may-fail
ALTER TABLE users ADD PRIMARY KEY (a);

-- case: may-fail
CREATE TABLE IF NOT EXISTS t(id int;

-- case: transaction
BEGIN; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(a); COMMIT;

-- case: transaction, in a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(a);

-- case: transaction, in a transaction
DROP INDEX CONCURRENTLY IF EXISTS i;

-- case: transaction, in a transaction
REINDEX TABLE CONCURRENTLY users;

-- case: transaction, in a transaction
VACUUM users;

-- case: transaction
BEGIN; VACUUM ANALYZE users; COMMIT;

-- case: transaction, in a transaction
ALTER SYSTEM SET x=1;

-- case: transaction, in a transaction
CREATE DATABASE x;

-- case: transaction
BEGIN; CREATE TABLE IF NOT EXISTS t(id int);

-- case: transaction
BEGIN; BEGIN; COMMIT;

-- case: transaction, in a transaction
COMMIT;

-- case: transaction, in a transaction
BEGIN; CREATE TABLE IF NOT EXISTS t(id int); COMMIT;

-- case: transaction, in a transaction
ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'; UPDATE users SET mood='x' WHERE id=1;

-- case: transaction
BEGIN; ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'; INSERT INTO t(m) VALUES ('x') ON CONFLICT DO NOTHING; COMMIT;

-- case: transaction
LOCK TABLE users;

-- case: transaction
SAVEPOINT a;

-- case: transaction
SET LOCAL lock_timeout='1s';

-- case: transaction, in a transaction
ALTER TABLE p DETACH PARTITION c CONCURRENTLY;

-- case: transaction
ROLLBACK;

-- case: transaction, in a transaction
CREATE TABLESPACE x LOCATION '/x';

-- case: transaction
DO $$ BEGIN EXECUTE 'CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(a)'; END $$;

-- case: transaction, in a transaction
DROP DATABASE IF EXISTS x;

-- case: transaction, in a transaction
REINDEX DATABASE x;

-- case: security
ALTER TABLE users DISABLE ROW LEVEL SECURITY;

-- case: security
GRANT ALL ON users TO app;

-- case: security
GRANT SELECT ON users TO PUBLIC;

-- case: security
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO PUBLIC;

-- case: security
CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN END $$;

-- case: security
ALTER ROLE app WITH PASSWORD 'x';

-- case: security
CREATE ROLE app LOGIN PASSWORD 'secret';

-- case: security
SET session_replication_role = replica;

-- case: security
SET session_replication_role TO 'replica';

-- case: security
ALTER SYSTEM SET fsync=off;

-- case: security
ALTER ROLE app SUPERUSER;

-- case: security
GRANT pg_read_server_files TO app;

-- case: security
CREATE USER a SUPERUSER;

-- case: security
ALTER USER app BYPASSRLS;

-- case: security
ALTER FUNCTION f() SECURITY DEFINER;

-- case: security
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC;

-- case: security
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;

-- case: security
CREATE USER app WITH ENCRYPTED PASSWORD 'abc';

-- case: security
GRANT CREATE ON SCHEMA public TO PUBLIC;

-- case: security
SELECT set_config('session_replication_role','replica',false);

-- case: security
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname='a') THEN CREATE ROLE a LOGIN PASSWORD 'x'; END IF; END $$;

-- case: good
CREATE TABLE IF NOT EXISTS users(id bigint PRIMARY KEY, e text UNIQUE, o int REFERENCES orgs(id) ON DELETE CASCADE);

-- case: good
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(e);

-- case: good
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON users(e);

-- case: good
DROP INDEX CONCURRENTLY IF EXISTS i;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int DEFAULT 0;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL DEFAULT 0;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS c timestamptz NOT NULL DEFAULT now();

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS c timestamptz DEFAULT CURRENT_TIMESTAMP;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS j jsonb NOT NULL DEFAULT '{}'::jsonb;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS t text DEFAULT lower('ABC');

-- case: good
CREATE OR REPLACE VIEW v AS SELECT 1;

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1';

-- case: good
DROP TRIGGER IF EXISTS t ON users; CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();

-- case: good
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();

-- case: good
DROP POLICY IF EXISTS p ON users; CREATE POLICY p ON users USING (owner = current_user);

-- case: good
DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1;

-- case: good
DROP FUNCTION IF EXISTS f(int); CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1';

-- case: good
CREATE EXTENSION IF NOT EXISTS pgcrypto;

-- case: good
CREATE SCHEMA IF NOT EXISTS app;

-- case: good
CREATE SEQUENCE IF NOT EXISTS s;

-- case: good
DO $$ BEGIN CREATE TYPE m AS ENUM('a','b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname='m') THEN CREATE TYPE m AS ENUM('a'); END IF; END $$;

-- case: good
ALTER TYPE m ADD VALUE IF NOT EXISTS 'x';

-- case: good
INSERT INTO users(id) VALUES (1) ON CONFLICT (id) DO NOTHING;

-- case: good
INSERT INTO users(id,n) VALUES (1,'a') ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n;

-- case: good
INSERT INTO users(id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE id=1);

-- case: good
UPDATE users SET a = 1 WHERE a IS NULL;

-- case: good
UPDATE users SET email = lower(email) WHERE email <> lower(email);

-- case: good
DELETE FROM users WHERE deleted_at < '2020-01-01';

-- case: good
ALTER TABLE users DROP CONSTRAINT IF EXISTS f2; ALTER TABLE users ADD CONSTRAINT f2 FOREIGN KEY (a) REFERENCES b(id) NOT VALID;

-- case: good
ALTER TABLE users VALIDATE CONSTRAINT f2;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname='f') THEN ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b(id) NOT VALID; END IF; END $$; ALTER TABLE users VALIDATE CONSTRAINT f;

-- case: good
ALTER TABLE users ENABLE ROW LEVEL SECURITY;

-- case: good
ALTER TABLE users ALTER COLUMN a SET DEFAULT 5;

-- case: good
COMMENT ON TABLE users IS 'x';

-- case: good
GRANT SELECT, INSERT ON users TO app;

-- case: good
REVOKE ALL ON users FROM PUBLIC;

-- case: good
ALTER TABLE users OWNER TO app;

-- case: good
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;

-- case: good
REINDEX INDEX CONCURRENTLY i;

-- case: good
VACUUM ANALYZE users;

-- case: good
ANALYZE users;

-- case: good
SET lock_timeout='2s'; ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;

-- case: good
BEGIN; SET LOCAL lock_timeout='2s'; ALTER TABLE users ADD COLUMN IF NOT EXISTS a int; COMMIT;

-- case: good
CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX IF NOT EXISTS i ON t(id);

-- case: good
CREATE TABLE IF NOT EXISTS t(id int); ALTER TABLE t ADD COLUMN IF NOT EXISTS u uuid DEFAULT gen_random_uuid();

-- case: good
CREATE TEMP TABLE x(id int); INSERT INTO x VALUES (1); DROP TABLE x;

-- case: good
CREATE TABLE tmp_x AS SELECT 1 a; DROP TABLE tmp_x;

-- case: good
BEGIN; DROP TABLE users; ROLLBACK;

-- case: good
BEGIN; SAVEPOINT s; DELETE FROM users; ROLLBACK TO SAVEPOINT s; COMMIT;

-- case: good
SELECT setval('users_id_seq', (SELECT max(id) FROM users));

-- case: good
SELECT setval('users_id_seq', COALESCE((SELECT MAX(id)+1 FROM users), 1), false);

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN DELETE FROM users; DROP TABLE x; END $$;

-- case: good
CREATE TABLE IF NOT EXISTS p1 PARTITION OF p FOR VALUES IN (1);

-- case: good
DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='users' AND column_name='a') AND NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='users' AND column_name='b') THEN RAISE NOTICE 'x'; END IF; END $$;

-- case: good
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users USING gin (tags);

-- case: good
ALTER INDEX IF EXISTS i RENAME TO j;

-- case: good
ALTER TABLE users DROP CONSTRAINT IF EXISTS c; ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;

-- case: good
ALTER TABLE users ALTER COLUMN a SET STATISTICS 500;

-- case: good
ALTER TABLE users SET (fillfactor=70);

-- case: good
CREATE STATISTICS IF NOT EXISTS st ON a,b FROM users;

-- case: good
DO $$ BEGIN ALTER TABLE users ADD COLUMN a int; EXCEPTION WHEN duplicate_column THEN RAISE NOTICE 'exists'; END $$;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname='app') THEN CREATE ROLE app NOLOGIN; END IF; END $$;

-- case: good
DELETE FROM users WHERE id=7; INSERT INTO users(id) VALUES (7);

-- case: good
MERGE INTO t USING s ON t.id=s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id) WHEN MATCHED THEN UPDATE SET a=s.a;

-- case: good
UPDATE users SET price = price * 100, in_cents = true WHERE in_cents = false;

-- case: good
INSERT INTO t(a) SELECT s.a FROM s LEFT JOIN t ON t.a=s.a WHERE t.a IS NULL;

-- case: good
WITH b AS (SELECT id FROM users WHERE x IS NULL LIMIT 1000) UPDATE users SET x=1 FROM b WHERE users.id=b.id;

-- case: good
DO $$ BEGIN LOOP UPDATE users SET x=1 WHERE id IN (SELECT id FROM users WHERE x IS NULL LIMIT 1000); EXIT WHEN NOT FOUND; COMMIT; END LOOP; END $$;

-- case: good
ALTER TABLE users REPLICA IDENTITY FULL;

-- case: good
\set ON_ERROR_STOP on
CREATE TABLE IF NOT EXISTS t(id int);

-- case: good
SET search_path TO app; CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX IF NOT EXISTS i ON app.t(id);

-- case: good
DROP TABLE IF EXISTS pg_temp.x;

-- case: good
CREATE TABLE IF NOT EXISTS t(id int, CONSTRAINT c CHECK (id>0)); COMMENT ON COLUMN t.id IS 'DROP TABLE users';

-- case: good
-- DROP TABLE users;
SELECT 1;

-- case: good
SELECT 'DROP TABLE users';

-- case: good
DO $do$ BEGIN IF to_regclass('public.old') IS NOT NULL THEN ALTER TABLE old SET (autovacuum_enabled=true); END IF; END $do$;

-- case: good
CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING; DROP RULE r ON v;

-- case: good
SET statement_timeout='5s'; SET lock_timeout = '1s'; ALTER TABLE users ADD COLUMN IF NOT EXISTS z text;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE varchar(100);

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE varchar;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE text;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN bio TYPE varchar;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN price TYPE numeric(12,2);

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN price TYPE numeric;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN at TYPE timestamp(6);

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN at TYPE timestamp;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN ip TYPE inet;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN tag TYPE text;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN flag TYPE varbit(16);

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN flag TYPE varbit;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN iv TYPE interval;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name SET DATA TYPE character varying(255);

-- case: good
CREATE TABLE IF NOT EXISTS one (a int);
-- What stands before a block must not matter for what the block asks.
CREATE TABLE IF NOT EXISTS two (a int);
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
    CREATE TYPE mood AS ENUM ('ok');
  END IF;
END $$;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS one (a int);
-- What stands before a block must not matter for what the block asks, mood or not.
CREATE TABLE IF NOT EXISTS two (a int);
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
    CREATE TYPE colour AS ENUM ('red');
  END IF;
END $$;

-- case: good
-- Rows that the loop finds are done once it has passed.
DO $$ DECLARE job record; n int; BEGIN
  FOR job IN SELECT id FROM jobs WHERE status = 'running' LOOP
    SELECT count(*) INTO n FROM steps WHERE steps.job_id = job.id;
    IF n = 1 AND job.kind = 'late' THEN
      UPDATE jobs SET status = 'done', revision = revision + 1 WHERE id = job.id;
    END IF;
  END LOOP;
END $$;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE citext;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN arr TYPE varchar(10)[];

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN n TYPE integer;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN tz TYPE timestamptz;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE varchar(60) USING name::varchar(60);

-- case: may-fail
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN name TYPE varchar(20);

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN n TYPE bigint;

-- case: may-fail
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN id TYPE int;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN bio TYPE varchar(10);

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN price TYPE numeric(12,4);

-- case: may-fail
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN price TYPE numeric(8,2);

-- case: irreversible
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN price TYPE numeric(10,1);

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN at TYPE timestamptz;

-- case: irreversible
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN at TYPE date;

-- case: irreversible
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN f TYPE int;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN code TYPE text;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN j TYPE jsonb USING j::jsonb;

-- case: may-fail
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN bio TYPE int USING bio::int;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN s TYPE int;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN d TYPE timestamptz;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN arr TYPE text;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN e TYPE text USING e::text;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN tz TYPE timestamp;

-- case: irreversible
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN f TYPE float4;

-- case: may-fail
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN tag TYPE varchar(10);

-- case: irreversible
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN bio TYPE text USING left(bio, 10);

-- case: breaking
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN n TYPE text;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
SET timezone = 'UTC'; ALTER TABLE users ALTER COLUMN at TYPE timestamptz(3);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
DO $$ BEGIN ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
-- next file
ALTER TABLE users VALIDATE CONSTRAINT c;
-- next file
ALTER TABLE users ALTER COLUMN n SET NOT NULL;
-- next file
ALTER TABLE users DROP CONSTRAINT IF EXISTS c;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users DROP CONSTRAINT IF EXISTS c; ALTER TABLE users ADD CONSTRAINT c CHECK (n > 0 AND n IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE users VALIDATE CONSTRAINT c; ALTER TABLE users ALTER n SET NOT NULL;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE users ALTER COLUMN n SET NOT NULL;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ADD CONSTRAINT c CHECK (bio IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE users VALIDATE CONSTRAINT c;
-- next file
ALTER TABLE users ALTER COLUMN n SET NOT NULL;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL OR bio IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE users VALIDATE CONSTRAINT c;
-- next file
ALTER TABLE users ALTER COLUMN n SET NOT NULL;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x';
-- next file
UPDATE users SET e='x' WHERE e IS NULL;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ADD COLUMN IF NOT EXISTS full_name text;
-- next file
UPDATE users SET full_name = name WHERE full_name IS NULL;
-- next file
ALTER TABLE users DROP CONSTRAINT IF EXISTS fn; ALTER TABLE users ADD CONSTRAINT fn CHECK (full_name IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE users VALIDATE CONSTRAINT fn;
-- next file
ALTER TABLE users ALTER COLUMN full_name SET NOT NULL; ALTER TABLE users DROP CONSTRAINT IF EXISTS fn;

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
CREATE INDEX IF NOT EXISTS users_name ON users (name);

-- case: good
CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, name text UNIQUE);
-- next file
INSERT INTO t(name) VALUES ('a') ON CONFLICT DO NOTHING;

-- case: good
CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, name text);CREATE UNIQUE INDEX IF NOT EXISTS i ON t(lower(name));
-- next file
INSERT INTO t(name) VALUES ('a') ON CONFLICT DO NOTHING;

-- case: non-idempotent
UPDATE api_tokens SET policies = policies || '[{"action": "list"}]'::jsonb WHERE policies IS NOT NULL AND project_id IS NULL;

-- case: good
UPDATE jobs SET attempts = attempts + 1, failed_at = NULL WHERE failed_at IS NOT NULL;

-- case: good
UPDATE users SET email = lower(email) WHERE email IS NOT NULL AND email <> lower(email);

-- case: good
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_key;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email_key ON users (email);

-- case: good
CREATE OR REPLACE FUNCTION whoami() RETURNS text LANGUAGE sql SECURITY DEFINER SET "search_path" TO '' AS $$ SELECT current_user::text $$;

-- case: good
CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, name text);
-- next file
INSERT INTO t VALUES (1,'a') ON CONFLICT DO NOTHING;
-- next file
INSERT INTO t(id,name) VALUES (1,'a') ON CONFLICT DO NOTHING;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, name text);
-- next file
INSERT INTO t(name) VALUES ('a') ON CONFLICT DO NOTHING;

-- case: good
CREATE TABLE IF NOT EXISTS a(id int); ALTER TABLE a ENABLE ROW LEVEL SECURITY;
-- next file
CREATE TABLE IF NOT EXISTS b(id int); ALTER TABLE b ENABLE ROW LEVEL SECURITY;

-- case: security
CREATE TABLE IF NOT EXISTS a(id int); ALTER TABLE a ENABLE ROW LEVEL SECURITY;
-- next file
CREATE TABLE IF NOT EXISTS b(id int);

-- case: destructive
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users RENAME TO people;
-- next file
DROP TABLE IF EXISTS people;

-- case: good
CREATE TABLE IF NOT EXISTS parent(k int, v int) PARTITION BY LIST (k);
-- next file
CREATE TABLE IF NOT EXISTS p1 (LIKE parent INCLUDING ALL); DO $$ BEGIN ALTER TABLE parent ATTACH PARTITION p1 FOR VALUES IN (1); EXCEPTION WHEN OTHERS THEN NULL; END $$;

-- case: breaking
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users RENAME COLUMN bio TO about;

-- case: good
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ALTER COLUMN n SET DEFAULT 0;

-- case: lock, in a transaction
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users DROP CONSTRAINT IF EXISTS f; ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES orgs(id) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT f;

-- case: lock, in a transaction
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
UPDATE users SET bio = 'x' WHERE bio IS NULL; ALTER TABLE users ALTER COLUMN bio SET DEFAULT 'x';

-- case: lock
CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name varchar(50), bio text, code char(3), price numeric(10,2), at timestamp(3), ip cidr, n int, tag citext, flag varbit(8), tz timestamptz, iv interval(2), arr varchar(5)[], j json, d date, f float8, b bytea, s smallint, e mood);
-- next file
ALTER TABLE users ADD COLUMN IF NOT EXISTS z int; UPDATE users SET z = 1;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS t(id int primary key); INSERT INTO t(id) VALUES (1),(2) ON CONFLICT (id) DO NOTHING; CREATE INDEX IF NOT EXISTS i ON t(id); ALTER TABLE t ADD COLUMN IF NOT EXISTS x int NOT NULL DEFAULT 1; UPDATE t SET x = 2 WHERE id = 1;

-- case: good
CREATE TABLE IF NOT EXISTS app.t(id int); CREATE INDEX IF NOT EXISTS i ON app.t(id); ALTER TABLE app.t ADD COLUMN IF NOT EXISTS k uuid DEFAULT gen_random_uuid();

-- case: good
SET search_path TO app, public; CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX IF NOT EXISTS i ON t(id);

-- case: lock
CREATE TABLE IF NOT EXISTS t(id int); SET search_path TO other; CREATE INDEX IF NOT EXISTS i ON t(id);

-- case: good
CREATE TABLE IF NOT EXISTS t(id int); ALTER TABLE IF EXISTS t RENAME TO u; CREATE INDEX IF NOT EXISTS i ON u(id); ALTER TABLE IF EXISTS u RENAME TO t;

-- case: good
-- comment only at end
SELECT 1; -- DROP TABLE x;
/* DELETE FROM t; */

-- case: good
COMMENT ON FUNCTION f() IS $$ DROP TABLE users; $$;

-- case: good
CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN TRUNCATE t; DELETE FROM u; DROP TABLE v; END $$;

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; CREATE SEQUENCE IF NOT EXISTS s;

-- case: good
CREATE TABLE IF NOT EXISTS {{ schema }}.t (id int); CREATE INDEX IF NOT EXISTS i ON {{ schema }}.t(id);

-- case: good
CREATE TABLE IF NOT EXISTS ${schema}.t (id int);

-- case: good
\connect app
\echo hi
SELECT 1;

-- case: destructive
/* /* nested */ */ DROP TABLE IF EXISTS users

-- case: destructive
SELECT 1
;DROP
TABLE
IF EXISTS
users;

-- case: destructive
CREATE TABLE IF NOT EXISTS a (id int)
DROP TABLE IF EXISTS users;

-- case: destructive
SELECT 'it''s'; DROP TABLE IF EXISTS users;

-- case: destructive
DROP TABLE IF EXISTS users; SELECT 'unterminated

-- case: destructive
DO $a$ BEGIN EXECUTE $b$DROP TABLE IF EXISTS users$b$; END $a$;

-- case: destructive
DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; IF true THEN DELETE FROM users; END IF; END $$;

-- case: destructive
DO $$ BEGIN CASE WHEN true THEN DELETE FROM users; ELSE NULL; END CASE; END $$;

-- case: destructive
DO $$ BEGIN BEGIN TRUNCATE users; EXCEPTION WHEN others THEN RAISE; END; END $$;

-- case: good
DO $$ DECLARE v int; BEGIN SELECT count(*) INTO v FROM users; IF v = 0 THEN INSERT INTO users(id) VALUES (1); END IF; END $$;

-- case: good
DO $$ DECLARE found_it boolean; BEGIN SELECT EXISTS(SELECT 1 FROM pg_type WHERE typname='m') INTO found_it; IF NOT found_it THEN CREATE TYPE m AS ENUM('a'); END IF; END $$;

-- case: good
DO $$ BEGIN IF to_regtype('m') IS NULL THEN CREATE TYPE m AS ENUM('a'); END IF; END $$;

-- case: good
DO $$ BEGIN CREATE POLICY p ON t USING (a = 1); EXCEPTION WHEN SQLSTATE '42710' THEN NULL; END $$;

-- case: good
DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname='m') THEN RAISE NOTICE 'there'; ELSE CREATE TYPE m AS ENUM('a'); END IF; END $$;

-- case: non-idempotent
DO $$ BEGIN BEGIN CREATE TYPE m AS ENUM('a'); EXCEPTION WHEN duplicate_object THEN RAISE; END; END $$;

-- case: non-idempotent
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f(); CREATE TABLE x(id int);

-- case: good
CREATE TABLE IF NOT EXISTS t(id int); DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id); EXCEPTION WHEN invalid_table_definition THEN NULL; END $$;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t(id int); DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (id); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- case: good
CREATE TABLE IF NOT EXISTS t(id int); DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (id); EXCEPTION WHEN duplicate_table THEN NULL; END $$;

-- case: good
UPDATE users SET status = 'b' WHERE status = 'a';

-- case: good
UPDATE users u SET a = s.a FROM src s WHERE s.id = u.id AND u.a IS DISTINCT FROM s.a;

-- case: good
UPDATE users SET data = data - 'old' WHERE data ? 'old';
-- next file
UPDATE users SET data = data || '{"v": 2}'::jsonb WHERE NOT data ? 'v';
-- next file
UPDATE users SET data = jsonb_set(data, '{a}', '1') WHERE id = 1;

-- case: good
INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET updated_at = now();

-- case: good
GRANT USAGE ON SCHEMA app TO reader; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader; REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- case: good
ALTER TABLE t CLUSTER ON i; ALTER TABLE t SET WITHOUT CLUSTER; ALTER TABLE t ALTER COLUMN c SET STORAGE EXTERNAL;

-- case: good
ALTER EXTENSION postgis UPDATE;
-- next file
ALTER SEQUENCE s OWNED BY t.id;
-- next file
ALTER SEQUENCE s INCREMENT BY 2;
-- next file
ALTER VIEW v SET (security_invoker = on);
-- next file
ALTER FUNCTION f() SET search_path = '';
-- next file
ALTER DATABASE app SET timezone='UTC';
-- next file
ALTER ROLE app SET statement_timeout='5s';
-- next file
SECURITY LABEL ON TABLE t IS 'x';
-- next file
NOTIFY x;
-- next file
CHECKPOINT;
-- next file
DISCARD ALL;
-- next file
SET ROLE app; RESET ROLE;
-- next file
SELECT pg_advisory_lock(1);
-- next file
ALTER INDEX i SET (fillfactor=70);
-- next file
ALTER TABLE t ENABLE TRIGGER ALL;
-- next file
REASSIGN OWNED BY a TO b;
-- next file
ALTER MATERIALIZED VIEW mv OWNER TO a;
-- next file
EXPLAIN SELECT 1;
-- next file
VALUES (1);
-- next file
CALL p();
-- next file
LISTEN x;

-- case: transaction, in a transaction
CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t(id);

-- case: good
BEGIN; CREATE TABLE IF NOT EXISTS t(id int); COMMIT; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON u(id);

-- case: good
BEGIN; ALTER TABLE u DROP CONSTRAINT IF EXISTS c; ALTER TABLE u ADD CONSTRAINT c CHECK (a>0) NOT VALID; COMMIT; BEGIN; ALTER TABLE u VALIDATE CONSTRAINT c; COMMIT;

-- case: lock
BEGIN; ALTER TABLE u ADD COLUMN IF NOT EXISTS x int; SAVEPOINT a; UPDATE u SET x=1 WHERE x IS NULL; RELEASE a; COMMIT;

-- case: good
ALTER TABLE u ADD COLUMN IF NOT EXISTS deleted_at timestamptz; CREATE OR REPLACE VIEW active_u AS SELECT * FROM u WHERE deleted_at IS NULL;

-- case: good
CREATE TYPE new_mood AS ENUM ('a'); DROP TYPE new_mood;

-- case: good
CREATE UNLOGGED TABLE IF NOT EXISTS q (id int);
-- next file
CREATE TABLE IF NOT EXISTS logs (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), d text GENERATED ALWAYS AS (upper('x')) STORED);

-- case: destructive
UPDATE users SET a = 1 FROM other;

-- case: destructive
DELETE FROM users USING other;

-- case: destructive
DELETE FROM users WHERE id IS NOT NULL;

-- case: security
CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE users DISABLE ROW LEVEL SECURITY; END $$;

-- case: security
CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''secret'''; END $$;

-- case: security
GRANT postgres TO app;

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE x (a int); INSERT INTO x VALUES (1); GRANT SELECT ON x TO reader; SET LOCAL work_mem = '4MB'; COMMIT; END $$;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN EXECUTE format('CREATE ROLE app LOGIN PASSWORD %L', current_setting('app.password')); END IF; END $$;

-- case: good
DELETE FROM users u USING banned b WHERE b.id = u.id;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS public.orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  total numeric(12,2) NOT NULL CHECK (total >= 0),
  status text NOT NULL DEFAULT 'new',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, created_at),
  EXCLUDE USING gist (x WITH =)
);
CREATE INDEX IF NOT EXISTS orders_user_idx ON public.orders (user_id);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY); CREATE TABLE IF NOT EXISTS b (id int PRIMARY KEY, a_id int);
DO $$ BEGIN ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a (id); EXCEPTION WHEN duplicate_object THEN null; END $$;

-- case: good
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = 'users' AND column_name = 'nick'
  ) THEN
    ALTER TABLE public.users ADD COLUMN nick text;
  END IF;
END
$$;

-- case: good
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='users' AND column_name='old') THEN
    UPDATE users SET new_c = 'x' WHERE new_c IS NULL;
  END IF;
END $$;

-- case: good, in a transaction
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;
DROP TRIGGER IF EXISTS users_touch ON users;
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();

-- case: good
INSERT INTO roles (name) SELECT v.name FROM (VALUES ('admin'),('user')) AS v(name) WHERE NOT EXISTS (SELECT 1 FROM roles r WHERE r.name = v.name);

-- case: good
INSERT INTO settings (key, value) VALUES ('a','b') ON CONFLICT ON CONSTRAINT settings_pkey DO UPDATE SET value = EXCLUDED.value, updated_at = now() WHERE settings.value IS DISTINCT FROM EXCLUDED.value;

-- case: good
WITH moved AS (DELETE FROM queue WHERE done RETURNING *) INSERT INTO archive SELECT * FROM moved ON CONFLICT DO NOTHING;

-- case: good, in a transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int, ADD COLUMN IF NOT EXISTS b text DEFAULT '', ADD COLUMN IF NOT EXISTS c boolean NOT NULL DEFAULT false;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS search tsvector;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS expires date DEFAULT (CURRENT_DATE + INTERVAL '30 days');

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS t text[] NOT NULL DEFAULT ARRAY[]::text[];

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS m mood DEFAULT 'ok'::mood;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS t timestamptz DEFAULT timezone('utc', now());

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS j jsonb DEFAULT jsonb_build_object('a', 1);

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS n int GENERATED ALWAYS AS (a + 1) VIRTUAL;

-- case: good, in a transaction
DROP MATERIALIZED VIEW IF EXISTS mv; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a; CREATE UNIQUE INDEX mv_a ON mv (a);

-- case: good
DROP TYPE IF EXISTS pair; CREATE TYPE pair AS (a int, b int);

-- case: good
BEGIN;
CREATE TABLE IF NOT EXISTS t (id int);
INSERT INTO t (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t);
COMMIT;

-- case: good
SET lock_timeout = '5s';
SET statement_timeout = '30s';
ALTER TABLE users VALIDATE CONSTRAINT c;
RESET lock_timeout;

-- case: good
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE IF NOT EXISTS public.t (id int);
ALTER TABLE public.t OWNER TO app;

-- case: good
CREATE POLICY "p" ON "T" USING (true); DROP POLICY "p" ON "T";

-- case: good
ALTER TABLE "User" ADD COLUMN IF NOT EXISTS "firstName" TEXT;

-- case: good
UPDATE users SET name = trim(name) WHERE name <> trim(name);

-- case: good
UPDATE users SET full_name = first_name || ' ' || last_name WHERE full_name IS NULL;

-- case: good
UPDATE users SET settings = jsonb_set(settings, '{theme}', '"dark"') WHERE settings->>'theme' IS NULL;

-- case: good
DELETE FROM sessions WHERE expires_at < now();

-- case: good
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY users (lower(email)) WHERE deleted_at IS NULL;

-- case: good
REINDEX (CONCURRENTLY, VERBOSE) TABLE users;

-- case: good
ALTER PUBLICATION p SET TABLE a, b; ALTER SUBSCRIPTION s REFRESH PUBLICATION;

-- case: good
COMMENT ON COLUMN users.a IS 'It''s; DROP TABLE users;';

-- case: good
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA extensions; CREATE EXTENSION IF NOT EXISTS citext;

-- case: good
DO $$ BEGIN PERFORM 1 FROM pg_type WHERE typname = 'm'; IF NOT FOUND THEN CREATE TYPE m AS ENUM ('a'); END IF; END $$;

-- case: good
DO $$ BEGIN IF (SELECT count(*) FROM plans) = 0 THEN INSERT INTO plans (name) VALUES ('free'); END IF; END $$;

-- case: good
DO $$ DECLARE r record; BEGIN FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND conname LIKE 'old%' LOOP EXECUTE format('ALTER TABLE users RENAME CONSTRAINT %I TO %I', r.conname, 'new_' || r.conname); END LOOP; END $$;

-- case: good
DO $$ BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS x (id int)'; END $$;

-- case: good
BEGIN; SET LOCAL statement_timeout = 0; CREATE OR REPLACE VIEW v AS SELECT 1; COMMIT;

-- case: good
CREATE TABLE IF NOT EXISTS t1 (id int, PRIMARY KEY (id)); CREATE TABLE IF NOT EXISTS t2 (LIKE t1 INCLUDING ALL); ALTER TABLE t2 ALTER COLUMN id TYPE bigint;

-- case: non-idempotent
INSERT INTO roles (name) SELECT 'admin';

-- case: non-idempotent
WITH x AS (INSERT INTO a (n) VALUES (1) RETURNING id) INSERT INTO b (a_id) SELECT id FROM x ON CONFLICT DO NOTHING;

-- case: non-idempotent
CREATE UNIQUE INDEX IF NOT EXISTS a ON t (x); CREATE INDEX CONCURRENTLY b ON t (x);

-- case: non-idempotent
ALTER TABLE IF EXISTS users RENAME COLUMN a TO b;

-- case: non-idempotent
ALTER TABLE users ALTER COLUMN age TYPE int USING (trim(age)::int), DROP COLUMN b;

-- case: non-idempotent
UPDATE t SET seq = nextval('s') WHERE grp = 1;

-- case: non-idempotent
UPDATE t SET path = replace(path, 'a', 'b') || '/x' WHERE id < 5;

-- case: non-idempotent
DO $$ BEGIN FOR i IN 1..10 LOOP INSERT INTO t (n) VALUES (i); END LOOP; END $$;

-- case: non-idempotent
DO $$ BEGIN EXECUTE 'CREATE TABLE x (id int)'; END $$;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS p (k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);

-- case: non-idempotent
CREATE OR REPLACE VIEW v AS SELECT 1; DROP VIEW v; DROP VIEW v2;

-- case: non-idempotent
ALTER TABLE t ADD COLUMN IF NOT EXISTS x int; ALTER TABLE t ADD CONSTRAINT t_x UNIQUE (x);

-- case: non-idempotent
DROP TRIGGER IF EXISTS a ON t; CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();

-- case: non-idempotent
DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON u USING (true);

-- case: lock
DO $$ BEGIN CREATE INDEX IF NOT EXISTS i ON users (a); END $$;

-- case: lock
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS k text DEFAULT md5(random()::text);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS k text DEFAULT my_default();

-- case: lock
ALTER TABLE users ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';

-- case: lock
CREATE TABLE IF NOT EXISTS "Users" (id int); CREATE INDEX IF NOT EXISTS i ON users (id);

-- case: lock
ALTER TABLE users ALTER a SET NOT NULL, ALTER b SET NOT NULL;

-- case: lock
CREATE INDEX IF NOT EXISTS i ON users USING gin (to_tsvector('english', body));

-- case: breaking
ALTER TABLE users RENAME a TO b;

-- case: breaking
ALTER TABLE IF EXISTS public.users RENAME TO members;

-- case: destructive
ALTER TABLE users DROP email;

-- case: destructive
DROP TABLE a, b, c;

-- case: destructive
drop table if exists "Users" cascade

-- case: destructive
DELETE FROM ONLY users AS u;

-- case: destructive
UPDATE public.users AS u SET role = 'guest';

-- case: destructive
DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'x') THEN DROP TABLE x; END IF; END $$;

-- case: destructive
BEGIN; SAVEPOINT s; SELECT 1; ROLLBACK TO s; DROP TABLE IF EXISTS users; COMMIT;

-- case: destructive
ALTER TABLE users DROP COLUMN IF EXISTS a, ADD COLUMN IF NOT EXISTS a bigint;

-- case: destructive
CREATE TABLE IF NOT EXISTS a (x int);
-- next file
DROP TABLE IF EXISTS a;

-- case: security
CREATE ROLE x WITH LOGIN SUPERUSER;

-- case: security
GRANT ALL ON ALL TABLES IN SCHEMA public TO anon;

-- case: security
GRANT EXECUTE ON FUNCTION f() TO PUBLIC;

-- case: security
GRANT ALL ON SCHEMA public TO PUBLIC;

-- case: security
CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN NULL; END $$;

-- case: security
BEGIN; SET LOCAL session_replication_role = 'replica'; COMMIT;

-- case: transaction
START TRANSACTION; REINDEX INDEX CONCURRENTLY i; COMMIT;

-- case: transaction
BEGIN; CREATE TABLE IF NOT EXISTS t (a int); COMMIT; COMMIT;

-- case: transaction
BEGIN; ALTER TYPE m ADD VALUE IF NOT EXISTS 'z'; ALTER TABLE t ADD CONSTRAINT c CHECK (m <> 'z') NOT VALID; COMMIT;

-- case: transaction
RELEASE SAVEPOINT x;

-- case: may-fail
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL DEFAULT NULL;

-- case: may-fail
ALTER TABLE users ADD a text NOT NULL, ADD b text;

-- case: may-fail
CREATE TABLE IF NOT EXISTS t (a int, a text);

-- case: may-fail
SELEC 1;

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT x UNIQUE (email);

-- case: non-idempotent
ALTER TABLE users ALTER COLUMN age TYPE int USING trim(age)::int;

-- case: good
CREATE TABLE IF NOT EXISTS t (a varchar(10));
ALTER TABLE t ALTER COLUMN a TYPE int USING a::int;

-- case: lock
ALTER TABLE users ALTER COLUMN age TYPE int USING trim(age::text)::int;

-- Written from the specification before the linter was run on them.

-- case: destructive
MERGE INTO users u USING staged s ON true WHEN MATCHED THEN DELETE;

-- case: destructive
MERGE INTO users u USING (SELECT 1) s ON 1=1 WHEN MATCHED THEN UPDATE SET active = false;

-- case: destructive
MERGE INTO users u USING staged s ON u.id = u.id WHEN NOT MATCHED THEN DO NOTHING WHEN MATCHED THEN DELETE;

-- case: destructive
DELETE FROM users USING orders;

-- case: destructive
DELETE FROM users WHERE NOT false;

-- case: destructive
DELETE FROM users WHERE 1 = 1 AND true;

-- case: destructive
DELETE FROM users WHERE 'a' = 'a';

-- case: destructive
DELETE FROM users WHERE 1 < 2;

-- case: destructive
DELETE FROM users WHERE id IS NULL OR id IS NOT NULL;

-- case: destructive
UPDATE users u SET email = NULL WHERE u.id = u.id;

-- case: destructive
DO $$ BEGIN PERFORM 1; EXECUTE format('DELETE FROM %I', 'users'); END $$;

-- case: destructive
WITH x AS (SELECT 1) DELETE FROM users;

-- case: destructive
ALTER TABLE events ADD COLUMN IF NOT EXISTS b int, DROP IF EXISTS a;

-- case: destructive
DROP AGGREGATE IF EXISTS a(int);

-- case: destructive
DROP SERVER IF EXISTS s CASCADE;

-- case: destructive
BEGIN; CREATE TABLE IF NOT EXISTS x(id int); ROLLBACK; DROP TABLE IF EXISTS x;

-- case: destructive
CREATE TABLE IF NOT EXISTS "Users"(id int); DROP TABLE IF EXISTS users;

-- case: destructive
SET search_path = audit; CREATE TABLE IF NOT EXISTS log(id int); SET search_path = public; DROP TABLE IF EXISTS log;

-- case: destructive
EXPLAIN ANALYZE DELETE FROM users;

-- case: destructive
COPY (DELETE FROM users RETURNING *) TO '/tmp/x';

-- case: destructive
PREPARE gone AS DELETE FROM users; EXECUTE gone;

-- case: irreversible
ALTER TABLE users ALTER COLUMN n TYPE int USING 0;

-- case: non-idempotent
ALTER TABLE IF EXISTS users RENAME COLUMN a TO b;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t(id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);

-- case: non-idempotent
INSERT INTO settings (k, v) VALUES ('a', 'b') ON CONFLICT (k) DO UPDATE SET v = settings.v || excluded.v;

-- case: non-idempotent
UPDATE users SET visits = coalesce(visits, 0) + 1 WHERE id = 3;

-- case: non-idempotent
ALTER TABLE t ALTER COLUMN id RESTART WITH 1000;

-- case: non-idempotent
CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <;

-- case: non-idempotent
CREATE TRANSFORM FOR hstore LANGUAGE plpython3u (FROM SQL WITH FUNCTION a(internal), TO SQL WITH FUNCTION b(internal));

-- case: non-idempotent
CREATE ACCESS METHOD am TYPE INDEX HANDLER h;

-- case: non-idempotent
CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f;

-- case: non-idempotent
ALTER TABLE c NO INHERIT base;

-- case: non-idempotent
ALTER TABLE t ALTER COLUMN a DROP IDENTITY;

-- case: non-idempotent
ALTER TABLE t ALTER COLUMN a DROP EXPRESSION;

-- case: non-idempotent
ALTER DOMAIN d DROP CONSTRAINT c;

-- case: non-idempotent
ALTER PUBLICATION p DROP TABLE users;

-- case: non-idempotent
ALTER POLICY p ON users RENAME TO q;

-- case: non-idempotent
ALTER TRIGGER t ON users RENAME TO u;

-- case: non-idempotent
CREATE SCHEMA IF NOT EXISTS app; CREATE TABLE app.t(id int);

-- case: non-idempotent
CREATE SCHEMA app CREATE TABLE t(id int);

-- case: non-idempotent
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'a') THEN CREATE TABLE b(id int); END IF; END $$;

-- case: non-idempotent
DO $$ BEGIN ALTER TABLE users ADD COLUMN a int; EXCEPTION WHEN undefined_table THEN NULL; END $$;

-- case: non-idempotent
ALTER TYPE mood ADD VALUE 'a' BEFORE 'b';

-- case: non-idempotent
DROP TRIGGER IF EXISTS t ON orders; CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();

-- case: non-idempotent
DROP FUNCTION IF EXISTS f(int); CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'select 1';

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX idx ON t(id);

-- case: non-idempotent
WITH s AS (SELECT 1 AS id) INSERT INTO t SELECT id FROM s;

-- case: non-idempotent
IMPORT FOREIGN SCHEMA public FROM SERVER s INTO app;

-- case: non-idempotent
CREATE ROLE a; CREATE ROLE b IN ROLE a;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int CONSTRAINT pos CHECK (a > 0) DEFAULT 1;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS u text DEFAULT md5(random()::text);

-- case: lock
ALTER TABLE IF EXISTS ONLY users ALTER a SET NOT NULL;

-- case: lock
ALTER TABLE users ADD CONSTRAINT c UNIQUE NULLS NOT DISTINCT (a);

-- case: lock
REINDEX (VERBOSE) TABLE users;

-- case: lock
VACUUM (FULL, ANALYZE) users;

-- case: lock
DO $$ BEGIN EXECUTE 'ALTER TABLE users ALTER COLUMN id TYPE bigint'; END $$;

-- case: lock
ALTER MATERIALIZED VIEW mv SET TABLESPACE fast;

-- case: lock
ALTER INDEX i SET TABLESPACE fast;

-- case: lock
ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b;

-- case: lock
CLUSTER;

-- case: lock, in a transaction
CREATE INDEX IF NOT EXISTS i ON users(a);

-- case: breaking
ALTER TABLE users RENAME a TO b;

-- case: breaking
ALTER TYPE addr RENAME ATTRIBUTE a TO b;

-- case: breaking
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL DEFAULT NULL;

-- case: breaking
ALTER MATERIALIZED VIEW v RENAME TO w;

-- case: breaking
ALTER SEQUENCE s SET SCHEMA app;

-- case: may-fail
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int NOT NULL REFERENCES b(id);

-- case: may-fail
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);

-- case: may-fail
ALTER TABLE users ALTER COLUMN a TYPE smallint;

-- case: transaction, in a transaction
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p;

-- case: transaction, in a transaction
DROP SUBSCRIPTION IF EXISTS s;

-- case: transaction, in a transaction
DO $$ BEGIN UPDATE t SET a = 1 WHERE a IS NULL; COMMIT; END $$;

-- case: transaction
START TRANSACTION; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x'; ALTER TABLE t ALTER COLUMN m SET DEFAULT 'x'; COMMIT;

-- case: transaction
BEGIN; CREATE TABLE IF NOT EXISTS t(id int); COMMIT; ROLLBACK;

-- case: transaction, in a transaction
ALTER DATABASE x SET TABLESPACE y;

-- case: transaction, in a transaction
CLUSTER;

-- case: transaction, in a transaction
DISCARD ALL;

-- case: transaction
BEGIN; SAVEPOINT a; ROLLBACK TO SAVEPOINT b; COMMIT;

-- case: security
CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN END $$;

-- case: security
GRANT ALL PRIVILEGES ON SCHEMA app TO app;

-- case: security
GRANT pg_execute_server_program TO app;

-- case: security
CREATE USER MAPPING IF NOT EXISTS FOR app SERVER s OPTIONS (user 'a', password 'secret');

-- case: security
CREATE SUBSCRIPTION s CONNECTION 'host=h user=u password=secret' PUBLICATION p;

-- case: security
ALTER DATABASE d SET session_replication_role = replica;

-- case: security
ALTER ROLE a CREATEROLE;

-- case: security
ALTER ROLE app SET session_replication_role = 'replica';

-- case: good, in a transaction
CREATE TEMP TABLE s ON COMMIT DROP AS SELECT 1 AS a;

-- case: good
CREATE TABLE IF NOT EXISTS t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL UNIQUE CHECK (a <> ''), created timestamptz DEFAULT clock_timestamp());

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; EXECUTE 'TRUNCATE x'; RETURN NEW; END $$;

-- case: good
BEGIN; ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'; COMMIT; INSERT INTO t(m) VALUES ('x') ON CONFLICT DO NOTHING;

-- case: good
DELETE FROM sessions WHERE expires_at < now() - interval '30 days';

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS a text COLLATE "C" DEFAULT 'x'::text NOT NULL;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS a date DEFAULT CURRENT_DATE;

-- case: good
CREATE TEMP TABLE a(id int); INSERT INTO a VALUES (1),(2); UPDATE a SET id = id + 1; DELETE FROM a; TRUNCATE a;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS o int; ALTER TABLE users DROP CONSTRAINT IF EXISTS fk; ALTER TABLE users ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES orgs(id) NOT VALID; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(o);

-- case: good
SELECT pg_advisory_lock(1); CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t(a); SELECT pg_advisory_unlock(1);

-- case: good
INSERT INTO t (id) SELECT id FROM s WHERE id NOT IN (SELECT id FROM t);

-- case: good
INSERT INTO t (id) SELECT id FROM s EXCEPT SELECT id FROM t;

-- case: good
UPDATE t SET status = 'x' WHERE status = 'y';

-- case: good
UPDATE t SET a = b WHERE a IS DISTINCT FROM b;

-- case: good
UPDATE t SET slug = regexp_replace(slug, ' ', '-', 'g') WHERE slug LIKE '% %';

-- case: good
COPY users TO '/tmp/users.csv' CSV;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_policies WHERE policyname = 'p') THEN CREATE POLICY p ON users USING (true); END IF; END $$;

-- case: good
DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN RAISE NOTICE 'x'; END $$;

-- case: good
DO $$ BEGIN CREATE TABLE t(id int); EXCEPTION WHEN OTHERS THEN NULL; END $$;

-- case: good
DO $$ BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS t(id int)'; END $$;

-- case: good
REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- case: good
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader;

-- case: good
ALTER ROLE app WITH PASSWORD NULL;

-- case: good
ALTER ROLE app SET lock_timeout = '2s';

-- case: good
ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;

-- case: good
CREATE UNLOGGED TABLE IF NOT EXISTS cache(k text PRIMARY KEY, v jsonb);

-- case: good, in a transaction
SET LOCAL lock_timeout = '2s'; ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;

-- case: good
BEGIN; CREATE TABLE IF NOT EXISTS t(id int); ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; CREATE INDEX IF NOT EXISTS i ON t(b); COMMIT;

-- case: good
CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;

-- case: good
/* a /* DROP TABLE x; */ b */ SELECT $q$DROP TABLE y;$q$;

-- case: good
CREATE OR REPLACE RULE r AS ON DELETE TO v DO INSTEAD (DELETE FROM a WHERE id = OLD.id; DELETE FROM b WHERE id = OLD.id);

-- case: good
DELETE FROM users USING banned WHERE users.id = banned.user_id;

-- case: good
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.gone THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id);

-- case: good
ALTER TABLE users ALTER COLUMN a SET STORAGE EXTERNAL; ALTER TABLE users CLUSTER ON i; ALTER TABLE users SET WITHOUT CLUSTER;

-- case: good
ALTER SEQUENCE s OWNED BY users.id; ALTER SEQUENCE s INCREMENT BY 10;

-- case: good
NOTIFY x; LISTEN y; SHOW timezone; CHECKPOINT;

-- case: good
BEGIN; REFRESH MATERIALIZED VIEW CONCURRENTLY mv; COMMIT;

-- case: good
SELECT create_hypertable('metrics', 'ts', if_not_exists => TRUE);

-- case: good
CREATE TABLE IF NOT EXISTS logs (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at); CREATE TABLE IF NOT EXISTS logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE INDEX IF NOT EXISTS i ON logs(at);

-- case: good
CREATE TABLE IF NOT EXISTS new_t(id int PRIMARY KEY); INSERT INTO new_t SELECT id FROM old_t ON CONFLICT DO NOTHING;

-- case: good
EXPLAIN DELETE FROM users;

-- case: good
EXPLAIN (ANALYZE false, COSTS off) UPDATE users SET a = 1;

-- case: destructive
EXPLAIN (ANALYZE, BUFFERS) DELETE FROM users;

-- case: non-idempotent
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = t.n + s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n);

-- case: good
MERGE INTO t USING s ON true WHEN MATCHED AND t.id = s.id THEN DELETE WHEN NOT MATCHED THEN DO NOTHING;

-- case: good
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_email_key') THEN ALTER TABLE users ADD CONSTRAINT u CHECK (a > 0) NOT VALID; END IF; END $$;

-- case: good
BEGIN; SAVEPOINT a; RELEASE SAVEPOINT a; COMMIT;

-- case: good
ALTER ROLE app RESET session_replication_role;

-- Findings on real migrations that were wrong.

-- case: good, in a transaction
ALTER TYPE m ADD VALUE IF NOT EXISTS 'gcs'; DO $$ BEGIN CREATE TYPE other AS ENUM ('gcs'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- case: good
UPDATE profiles SET rules = without_name(rules), updated_at = now() WHERE id IN (SELECT profile_id FROM named);

-- case: good, in a transaction
CREATE TEMP TABLE map AS SELECT 1 AS id; CREATE INDEX ON map (id); ALTER TABLE map ADD COLUMN b int; UPDATE users SET a = 1 WHERE a IS NULL;

-- Written before the linter had seen them; what it said of them at first is in docs/lint-comparison.md.

-- case: destructive
DROP TABLE IF EXISTS billing.invoices, billing.invoice_lines;

-- case: destructive
ALTER TABLE IF EXISTS shop.customers DROP COLUMN IF EXISTS loyalty_points CASCADE;

-- case: destructive
TRUNCATE TABLE ONLY audit_log RESTART IDENTITY;

-- case: destructive
DELETE FROM carts c WHERE c.id = c.id;

-- case: destructive
UPDATE subscriptions SET plan_id = NULL WHERE TRUE;

-- case: destructive
DO $do$
BEGIN
  IF EXISTS (SELECT FROM pg_tables WHERE tablename = 'legacy_events') THEN
    DROP TABLE legacy_events;
  END IF;
END
$do$;

-- case: destructive
DROP SCHEMA IF EXISTS reporting CASCADE;

-- case: destructive
DROP TYPE IF EXISTS order_state;

-- case: destructive
DROP MATERIALIZED VIEW IF EXISTS monthly_totals;

-- case: destructive
DROP FUNCTION IF EXISTS total_of(bigint);

-- case: destructive
ALTER TABLE sessions SET UNLOGGED;

-- case: destructive
DROP EXTENSION IF EXISTS hstore CASCADE;

-- case: destructive
WITH gone AS (DELETE FROM messages RETURNING id) SELECT count(*) FROM gone;

-- case: destructive
DROP POLICY IF EXISTS tenant_only ON documents;

-- case: destructive
ALTER TABLE invoices DROP CONSTRAINT IF EXISTS invoices_total_positive;

-- case: destructive
BEGIN;
CREATE TABLE IF NOT EXISTS customers_new (LIKE customers INCLUDING ALL);
DROP TABLE IF EXISTS customers;
ALTER TABLE customers_new RENAME TO customers;
COMMIT;

-- case: destructive
DROP OWNED BY reporting_user;

-- case: destructive
ALTER TABLE line_items ADD CONSTRAINT line_items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE NOT VALID;

-- case: non-idempotent
CREATE TABLE warehouse.bins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL);

-- case: non-idempotent
CREATE TYPE shipment_state AS ENUM ('packed', 'sent', 'lost');

-- case: non-idempotent
ALTER TYPE shipment_state ADD VALUE 'returned' AFTER 'lost';

-- case: non-idempotent
CREATE SEQUENCE invoice_numbers START 1000;

-- case: non-idempotent
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');

-- case: non-idempotent
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

-- case: non-idempotent
CREATE TRIGGER touch_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- case: non-idempotent
CREATE POLICY own_rows ON notes USING (owner = current_user);

-- case: non-idempotent
CREATE ROLE exporter NOLOGIN;

-- case: non-idempotent
CREATE PUBLICATION changes FOR TABLE orders;

-- case: non-idempotent
CREATE EXTENSION pg_trgm;

-- case: non-idempotent
CREATE SCHEMA analytics;

-- case: non-idempotent
CREATE VIEW open_orders AS SELECT * FROM orders WHERE closed_at IS NULL;

-- case: non-idempotent
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) FROM orders GROUP BY 1;

-- case: non-idempotent
CREATE STATISTICS orders_stats (dependencies) ON city, zip FROM addresses;

-- case: non-idempotent
CREATE AGGREGATE product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');

-- case: non-idempotent
CREATE INDEX CONCURRENTLY orders_placed ON orders (placed_at);

-- case: non-idempotent
ALTER TABLE orders ADD COLUMN note text;

-- case: non-idempotent
ALTER TABLE orders RENAME COLUMN remark TO note;

-- case: non-idempotent
ALTER TABLE orders DROP COLUMN note;

-- case: non-idempotent
ALTER TABLE orders RENAME CONSTRAINT a TO b;

-- case: non-idempotent
ALTER INDEX orders_a RENAME TO orders_b;

-- case: non-idempotent
ALTER TABLE measurements ATTACH PARTITION measurements_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

-- case: non-idempotent
ALTER TABLE accounts ADD CONSTRAINT accounts_balance CHECK (balance >= 0) NOT VALID;

-- case: non-idempotent
ALTER TABLE accounts ADD CONSTRAINT accounts_pk PRIMARY KEY USING INDEX accounts_pk_idx;

-- case: non-idempotent
INSERT INTO permissions (name) VALUES ('read'), ('write');

-- case: non-idempotent
INSERT INTO permissions (name) SELECT 'role:' || name FROM roles;

-- case: non-idempotent
UPDATE prices SET amount = amount * 1.19 WHERE country = 'DE';

-- case: non-idempotent
UPDATE stock SET n = stock.n - r.n FROM reservations r WHERE r.item_id = stock.item_id;

-- case: non-idempotent
SELECT setval('invoice_numbers', (SELECT max(number) FROM invoices) + 1);
ALTER SEQUENCE invoice_numbers RESTART WITH 5000;

-- case: non-idempotent
DO $$ BEGIN
  CREATE TYPE mood AS ENUM ('sad', 'ok');
EXCEPTION WHEN undefined_object THEN NULL;
END $$;

-- case: non-idempotent
DROP INDEX orders_customer;

-- case: non-idempotent
DROP TRIGGER touch_orders ON orders;

-- case: non-idempotent
COPY countries (code, name) FROM '/data/countries.csv' CSV;

-- case: lock
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer_id);

-- case: lock
DROP INDEX IF EXISTS orders_customer;

-- case: lock
REINDEX TABLE orders;

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS token uuid DEFAULT gen_random_uuid();

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS gross numeric GENERATED ALWAYS AS (net * 1.19) STORED;

-- case: lock
ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;

-- case: lock
ALTER TABLE orders ALTER COLUMN code TYPE varchar(20);

-- case: lock
ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;

-- case: lock
DO $$ BEGIN
  ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- case: lock
VACUUM FULL orders;

-- case: lock
CLUSTER orders USING orders_pkey;

-- case: lock
REFRESH MATERIALIZED VIEW totals;

-- case: lock
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;

-- case: lock
ALTER TABLE orders SET TABLESPACE fast;

-- case: lock
BEGIN;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS region text;
UPDATE orders SET region = 'EU' WHERE region IS NULL;
COMMIT;

-- case: lock
ALTER TABLE orders DETACH PARTITION orders_2020;

-- case: lock, in a transaction
ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';
CREATE INDEX IF NOT EXISTS customers_name ON customers (name);

-- case: breaking
ALTER TABLE orders RENAME COLUMN total TO gross_total;

-- case: breaking
ALTER TABLE orders RENAME TO purchase_orders;

-- case: breaking
ALTER TABLE orders ADD COLUMN IF NOT EXISTS source text NOT NULL;

-- case: breaking
ALTER TYPE order_state RENAME VALUE 'open' TO 'pending';

-- case: breaking
ALTER SCHEMA shop RENAME TO store;

-- case: breaking
ALTER TABLE orders ALTER COLUMN total TYPE text USING total::text;

-- case: may-fail
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (lower(email));

-- case: may-fail
ALTER TABLE users ADD COLUMN IF NOT EXISTS tenant_id bigint NOT NULL;

-- case: may-fail
ALTER TABLE users ALTER COLUMN bio TYPE varchar(100);

-- case: may-fail
ALTER TABLE users ALTER COLUMN age SET NOT NULL;

-- case: transaction
BEGIN;
CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);
COMMIT;

-- case: transaction, in a transaction
VACUUM ANALYZE orders;

-- case: transaction, in a transaction
DROP INDEX CONCURRENTLY IF EXISTS a_b;

-- case: transaction, in a transaction
ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'held';
UPDATE orders SET state = 'held' WHERE state = 'open' AND blocked;

-- case: transaction
BEGIN;
UPDATE orders SET state = 'done' WHERE state = 'finished';

-- case: transaction, in a transaction
UPDATE orders SET state = 'done' WHERE state = 'finished';
COMMIT;

-- case: transaction
SAVEPOINT here;

-- case: transaction, in a transaction
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
ALTER SYSTEM SET max_connections = 300;

-- case: security
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO PUBLIC;

-- case: security
ALTER TABLE notes DISABLE ROW LEVEL SECURITY;

-- case: security
CREATE OR REPLACE FUNCTION promote(uid bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ UPDATE users SET admin = true WHERE id = uid $$;

-- case: security
ALTER ROLE app WITH LOGIN PASSWORD 'hunter2';

-- case: security
ALTER ROLE app SUPERUSER;

-- case: security
SET session_replication_role = replica;

-- case: security
ALTER SYSTEM SET log_statement = 'none';

-- case: good
CREATE TABLE IF NOT EXISTS warehouse.bins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, zone_id bigint REFERENCES warehouse.zones (id));

-- case: good
CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a text);
CREATE INDEX IF NOT EXISTS t_a ON t (a);
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: good
SET lock_timeout = '3s';
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;

-- case: good
SET lock_timeout = '3s';
ALTER TABLE orders ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now();

-- case: good
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer ON orders (customer_id);

-- case: good
DROP INDEX CONCURRENTLY IF EXISTS orders_customer;

-- case: good
REINDEX INDEX CONCURRENTLY orders_customer;

-- case: good
CREATE OR REPLACE VIEW open_orders AS SELECT id FROM orders WHERE closed_at IS NULL;

-- case: good
CREATE OR REPLACE FUNCTION gross(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT n * 1.19 $$;

-- case: good
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
    CREATE TYPE mood AS ENUM ('sad', 'ok');
  END IF;
END $$;

-- case: good
DO $$ BEGIN
  CREATE ROLE reader;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- case: good
INSERT INTO permissions (name) VALUES ('read') ON CONFLICT (name) DO NOTHING;

-- case: good
INSERT INTO permissions (name) SELECT 'read' WHERE NOT EXISTS (SELECT 1 FROM permissions WHERE name = 'read');

-- case: good
UPDATE orders SET state = 'open' WHERE state = 'new';

-- case: good
DELETE FROM sessions WHERE expires_at < now() - interval '30 days';

-- case: good
COMMENT ON COLUMN orders.note IS 'shown on the invoice';

-- case: good
GRANT SELECT ON orders TO reporting;

-- case: good
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_balance;

-- case: good
SET lock_timeout = '2s';
ALTER TABLE accounts DROP CONSTRAINT IF EXISTS accounts_tmp, ADD CONSTRAINT accounts_tmp CHECK (balance IS NOT NULL) NOT VALID;

-- case: good
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- case: good
ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'held';

-- case: good
CREATE OR REPLACE FUNCTION safe(uid bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT 1 $$;

-- case: good
CREATE TEMPORARY TABLE batch (id bigint) ON COMMIT DROP;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS zones (id bigint PRIMARY KEY);
CREATE TABLE IF NOT EXISTS zone_bins (zone_id bigint NOT NULL REFERENCES zones (id) ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS zone_bins_zone ON zone_bins (zone_id);

-- case: good, in a transaction
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN IF NOT EXISTS a int, ADD COLUMN IF NOT EXISTS b int;

-- case: good
BEGIN;
DELETE FROM orders;
ROLLBACK;

-- case: good
SELECT pg_catalog.set_config('search_path', '', false);

-- case: good
SET lock_timeout = '1s';
ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';

-- case: good
SET lock_timeout = '1s';
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON notes;
CREATE POLICY own ON notes USING (owner = current_user);

-- case: good
CREATE TABLE IF NOT EXISTS m (t timestamptz, v int) PARTITION BY RANGE (t);
CREATE TABLE IF NOT EXISTS m_2027 PARTITION OF m FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

-- case: good
MERGE INTO stock s USING incoming i ON s.sku = i.sku WHEN MATCHED THEN UPDATE SET n = i.n WHEN NOT MATCHED THEN INSERT (sku, n) VALUES (i.sku, i.n);

-- case: good
CREATE TABLE work AS SELECT * FROM orders;
DROP TABLE work;

-- Findings on real migrations that were wrong.

-- case: good
CREATE TABLE IF NOT EXISTS events (id bigint);
DO $$ BEGIN
  CREATE TABLE IF NOT EXISTS events_new (LIKE events);
  LOCK TABLE events IN ACCESS SHARE MODE;
END $$;

-- case: good
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON TABLES TO "postgres";

-- case: non-idempotent
ALTER TABLE posts ALTER COLUMN tags TYPE text[] USING string_to_array(tags, ' ');
