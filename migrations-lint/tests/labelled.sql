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

-- Held out: written before guard had seen them, in the idioms of many frameworks; docs/lint-comparison.md has the first answers.

-- case: good
-- Prisma, edited by hand to survive a second run
CREATE TABLE IF NOT EXISTS "AuditLog" (
    "id" TEXT NOT NULL,
    "actorId" TEXT,
    "action" TEXT NOT NULL,
    "payload" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AuditLog_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX IF NOT EXISTS "AuditLog_actorId_idx" ON "AuditLog"("actorId");

-- case: good, in a transaction
-- AlterTable
ALTER TABLE "User" ADD COLUMN IF NOT EXISTS "timezone" TEXT;

-- case: good, in a transaction
-- AlterTable
ALTER TABLE "Post" ADD COLUMN IF NOT EXISTS "likeCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS "publishedAt" TIMESTAMP(3);

-- case: good, in a transaction
DO $$ BEGIN
    CREATE TYPE "Plan" AS ENUM ('FREE', 'PRO', 'ENTERPRISE');
EXCEPTION
    WHEN duplicate_object THEN null;
END $$;

-- case: good, in a transaction
DO $$ BEGIN
 CREATE TYPE "public"."invite_status" AS ENUM('pending', 'accepted', 'revoked');
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "invites" (
	"id" serial PRIMARY KEY NOT NULL,
	"email" varchar(255) NOT NULL,
	"status" "invite_status" DEFAULT 'pending' NOT NULL,
	"token" uuid DEFAULT gen_random_uuid() NOT NULL,
	"created_at" timestamp DEFAULT now() NOT NULL,
	CONSTRAINT "invites_token_unique" UNIQUE("token")
);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS "team_members" (
	"team_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text DEFAULT 'member' NOT NULL,
	CONSTRAINT "team_members_team_id_user_id_pk" PRIMARY KEY("team_id","user_id")
);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "team_members_user_idx" ON "team_members" USING btree ("user_id");

-- case: good
-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_placed_at ON orders (placed_at DESC);

-- case: good
SET lock_timeout TO '2s';
SET statement_timeout TO '0';
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email_lower_uniq
    ON public.users USING btree (lower(email))
 WHERE deleted_at IS NULL;

-- case: good
DROP INDEX CONCURRENTLY IF EXISTS public.idx_orders_old_status;

-- case: good
REINDEX INDEX CONCURRENTLY public.orders_user_id_idx;

-- case: good
REINDEX (VERBOSE) TABLE CONCURRENTLY order_items;

-- case: good, in a transaction
create table if not exists public.profiles (
  id uuid not null references auth.users on delete cascade,
  username text unique,
  avatar_url text,
  website text,
  updated_at timestamptz,
  primary key (id),
  constraint username_length check (char_length(username) >= 3)
);

alter table public.profiles enable row level security;

drop policy if exists "Public profiles are viewable by everyone." on public.profiles;
create policy "Public profiles are viewable by everyone." on public.profiles
  for select using (true);

drop policy if exists "Users can insert their own profile." on public.profiles;
create policy "Users can insert their own profile." on public.profiles
  for insert with check ((select auth.uid()) = id);

-- case: good, in a transaction
-- inserts a row into public.profiles when a user signs up
create or replace function public.handle_new_user()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, username)
  values (new.id, new.raw_user_meta_data ->> 'username');
  return new;
end;
$$;

create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute procedure public.handle_new_user();

-- case: good, in a transaction
insert into storage.buckets (id, name, public)
values ('avatars', 'avatars', true)
on conflict (id) do nothing;

-- case: good, in a transaction
drop policy if exists "Avatar images are publicly accessible" on storage.objects;
create policy "Avatar images are publicly accessible"
on storage.objects for select
to public
using ( bucket_id = 'avatars' );

-- case: good, in a transaction
alter table public.todos enable row level security;
alter table public.todos force row level security;

-- case: transaction, in a transaction
begin;
  drop policy if exists todos_owner_all on public.todos;
  create policy todos_owner_all on public.todos
    as permissive for all to authenticated
    using (user_id = (select auth.uid()))
    with check (user_id = (select auth.uid()));
commit;

-- case: good
BEGIN;
SET LOCAL lock_timeout = '3s';
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS closed_at timestamptz;
COMMENT ON COLUMN accounts.closed_at IS 'Set when the customer''s account was closed; NULL while open';
COMMIT;

-- case: good
SET lock_timeout = '5s';
ALTER TABLE public.accounts
    ADD COLUMN IF NOT EXISTS risk_score smallint DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS reviewed_by bigint;
RESET lock_timeout;

-- case: good, in a transaction
-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger AS $body$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$body$ LANGUAGE plpgsql;
-- +goose StatementEnd

DROP TRIGGER IF EXISTS trg_accounts_updated_at ON accounts;
CREATE TRIGGER trg_accounts_updated_at
    BEFORE UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- case: good
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS citext;

-- case: good
CREATE SCHEMA IF NOT EXISTS billing AUTHORIZATION CURRENT_USER;
CREATE TABLE IF NOT EXISTS billing.invoices (
    invoice_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint      NOT NULL,
    issued_on    date        NOT NULL DEFAULT CURRENT_DATE,
    total        numeric(12,2) NOT NULL CHECK (total >= 0),
    tax          numeric(12,2) GENERATED ALWAYS AS (total * 0.19) STORED,
    UNIQUE (customer_id, issued_on)
);
CREATE INDEX IF NOT EXISTS invoices_issued_on_idx ON billing.invoices (issued_on);

-- case: good
DO $do$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'orders_total_positive') THEN
        ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total_cents >= 0) NOT VALID;
    END IF;
END
$do$;
-- next file
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_positive;

-- case: good
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM information_schema.table_constraints
     WHERE constraint_schema = 'public' AND table_name = 'payments' AND constraint_name = 'payments_order_id_fkey'
  ) THEN
    ALTER TABLE public.payments
      ADD CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders (id) NOT VALID;
  END IF;
END;
$$;
-- next file
ALTER TABLE public.payments VALIDATE CONSTRAINT payments_order_id_fkey;

-- case: good
DO $$ BEGIN
 ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action NOT VALID;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;

-- case: good
-- step 1 of 3: expand
ALTER TABLE customers ADD COLUMN IF NOT EXISTS full_name text;
-- next file
-- step 2 of 3: new rows are filled by a trigger
CREATE OR REPLACE FUNCTION customers_fill_full_name() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.full_name := concat_ws(' ', NEW.first_name, NEW.last_name);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS customers_full_name ON customers;
CREATE TRIGGER customers_full_name BEFORE INSERT OR UPDATE OF first_name, last_name
    ON customers FOR EACH ROW EXECUTE FUNCTION customers_fill_full_name();
-- next file
-- step 3 of 3: old rows, a thousand at a time
DO $$
DECLARE
    n int;
BEGIN
    LOOP
        UPDATE customers SET full_name = concat_ws(' ', first_name, last_name)
         WHERE id IN (SELECT id FROM customers WHERE full_name IS NULL ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS n = ROW_COUNT;
        EXIT WHEN n = 0;
        COMMIT;
    END LOOP;
END $$;

-- case: good
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'customers_full_name_nn' AND conrelid = 'customers'::regclass) THEN
    ALTER TABLE customers ADD CONSTRAINT customers_full_name_nn CHECK (full_name IS NOT NULL) NOT VALID;
  END IF;
END $$;
-- next file
ALTER TABLE customers VALIDATE CONSTRAINT customers_full_name_nn;
-- next file
ALTER TABLE customers ALTER COLUMN full_name SET NOT NULL;

-- case: good
CREATE OR REPLACE VIEW active_users AS
SELECT id, email, name
  FROM users
 WHERE deleted_at IS NULL;

-- case: good
CREATE OR REPLACE VIEW reporting.monthly_revenue WITH (security_barrier) AS
SELECT date_trunc('month', placed_at) AS month, sum(total_cents) / 100.0 AS revenue, count(*) AS n
  FROM public.orders
 WHERE status <> 'cancelled'
 GROUP BY 1;
GRANT SELECT ON reporting.monthly_revenue TO analyst;

-- case: good
CREATE MATERIALIZED VIEW IF NOT EXISTS product_stats AS
SELECT product_id, sum(quantity) AS sold
  FROM order_items GROUP BY product_id
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS product_stats_pk ON product_stats (product_id);

-- case: good
REFRESH MATERIALIZED VIEW CONCURRENTLY product_stats;

-- case: good
INSERT INTO roles (name, description) VALUES
  ('admin', 'may do all'),
  ('editor', 'may write'),
  ('viewer', 'may read')
ON CONFLICT (name) DO UPDATE SET description = EXCLUDED.description;

-- case: good
INSERT INTO settings (key, value)
SELECT 'signup_enabled', 'true'
WHERE NOT EXISTS (SELECT 1 FROM settings WHERE key = 'signup_enabled');

-- case: good
INSERT INTO public.countries (code, name)
SELECT v.code, v.name
  FROM (VALUES ('DE', 'Germany'), ('FR', 'France'), ('IT', 'Italy')) AS v(code, name)
  LEFT JOIN public.countries c ON c.code = v.code
 WHERE c.code IS NULL;

-- case: good
WITH new_perms(name) AS (
    VALUES ('reports:read'), ('reports:export')
)
INSERT INTO permissions (name)
SELECT name FROM new_perms
ON CONFLICT DO NOTHING;

-- case: good
MERGE INTO currencies AS c
USING (VALUES ('EUR', 2), ('JPY', 0)) AS v(code, digits)
   ON c.code = v.code
WHEN MATCHED THEN UPDATE SET digits = v.digits
WHEN NOT MATCHED THEN INSERT (code, digits) VALUES (v.code, v.digits);

-- case: good
UPDATE orders SET status = 'cancelled' WHERE status = 'canceled';

-- case: good
UPDATE users SET email = lower(email) WHERE email <> lower(email);

-- case: good
UPDATE products p
   SET category_id = c.id
  FROM categories c
 WHERE c.slug = p.category_slug
   AND p.category_id IS NULL;

-- case: good
DELETE FROM password_resets WHERE expires_at < '2024-01-01';

-- case: good
DELETE FROM order_items oi
 WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = oi.order_id);

-- case: good
DELETE FROM tags a USING tags b WHERE a.name = b.name AND a.id > b.id;

-- case: good
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'refunded' AFTER 'delivered';

-- case: good
ALTER TYPE public.notification_kind ADD VALUE IF NOT EXISTS 'sms';
ALTER TYPE public.notification_kind ADD VALUE IF NOT EXISTS 'push';

-- case: good
CREATE SEQUENCE IF NOT EXISTS invoice_number_seq START WITH 1000 INCREMENT BY 1 CACHE 1;
ALTER SEQUENCE invoice_number_seq OWNED BY billing.invoices.invoice_id;

-- case: good
SELECT setval('users_id_seq', COALESCE((SELECT MAX(id) FROM users), 1));

-- case: good
SELECT pg_catalog.setval(pg_get_serial_sequence('public.orders', 'id'), (SELECT GREATEST(MAX(id), 1) FROM public.orders));

-- case: good
CREATE TABLE IF NOT EXISTS measurements (
    device_id int         NOT NULL,
    at        timestamptz NOT NULL,
    value     double precision,
    PRIMARY KEY (device_id, at)
) PARTITION BY RANGE (at);

CREATE TABLE IF NOT EXISTS measurements_2024_01 PARTITION OF measurements
    FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE IF NOT EXISTS measurements_2024_02 PARTITION OF measurements
    FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE INDEX IF NOT EXISTS measurements_at_idx ON measurements (at);

-- case: good
CREATE TABLE IF NOT EXISTS events_2025_01 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE IF NOT EXISTS events_2025_02 PARTITION OF events FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');

-- case: good
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'app_readonly') THEN
        CREATE ROLE app_readonly NOLOGIN;
    END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO app_readonly;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app_readonly;

-- case: good
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- case: good
REVOKE EXECUTE ON FUNCTION public.admin_stats(integer) FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.admin_stats(integer) TO service_role;

-- case: good
COMMENT ON TABLE users IS 'People who may sign in';
COMMENT ON COLUMN users.email IS E'Lower case\nunique';
COMMENT ON INDEX orders_user_id_idx IS NULL;

-- case: good
ALTER TABLE orders ALTER COLUMN currency SET DEFAULT 'EUR';

-- case: good
ALTER TABLE ONLY public.users ALTER COLUMN status SET DEFAULT 'pending'::character varying;

-- case: good
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE events ALTER COLUMN payload SET STATISTICS 500;
ANALYZE events;

-- case: good
ALTER TABLE public.users OWNER TO app_owner;
ALTER SEQUENCE public.users_id_seq OWNER TO app_owner;

-- case: good
ALTER TABLE outbox REPLICA IDENTITY FULL;

-- case: good
VACUUM (ANALYZE) public.orders;

-- case: good
CREATE STATISTICS IF NOT EXISTS orders_user_status (dependencies, ndistinct) ON user_id, status FROM orders;

-- case: good
CREATE OR REPLACE PROCEDURE archive_orders(cutoff date)
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM orders WHERE placed_at < cutoff;
    TRUNCATE staging_orders;
    COMMIT;
END;
$$;

-- case: good
CREATE OR REPLACE FUNCTION public.slugify(txt text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$ SELECT trim(both '-' from regexp_replace(lower($1), '[^a-z0-9]+', '-', 'g')) $_$;

-- case: good
CREATE OR REPLACE FUNCTION order_total(o orders) RETURNS numeric
STABLE
BEGIN ATOMIC
  SELECT sum(price_cents * quantity) / 100.0 FROM order_items WHERE order_id = o.id;
END;

-- case: good
CREATE TEMPORARY TABLE dup_emails AS
SELECT lower(email) AS email, min(id) AS keep FROM users GROUP BY 1 HAVING count(*) > 1;
UPDATE users u SET is_active = false FROM dup_emails d WHERE lower(u.email) = d.email AND u.id <> d.keep AND u.is_active;
DROP TABLE dup_emails;

-- case: good
\set ON_ERROR_STOP on
\echo 'loading countries'
CREATE TEMP TABLE tmp_countries (code char(2), name text);
COPY tmp_countries (code, name) FROM stdin;
AT	Austria
CH	Switzerland
\.
INSERT INTO countries (code, name) SELECT code, name FROM tmp_countries ON CONFLICT (code) DO NOTHING;

-- case: good
\if :{?schema}
\else
  \set schema public
\endif
SET search_path TO :schema;
CREATE TABLE IF NOT EXISTS feature_flags (
  name text PRIMARY KEY,
  enabled boolean NOT NULL DEFAULT false
);

-- case: good
ALTER TABLE public.memberships ADD COLUMN IF NOT EXISTS joined_at timestamp with time zone DEFAULT now() NOT NULL;

-- case: good
ALTER TABLE documents ADD COLUMN IF NOT EXISTS tags text[] NOT NULL DEFAULT '{}'::text[];

-- case: good
ALTER TABLE "Workspace" ADD COLUMN IF NOT EXISTS "settings" JSONB DEFAULT '{"theme": "light"}'::jsonb;

-- case: good
CREATE TABLE IF NOT EXISTS plans (id int PRIMARY KEY, name varchar(40) NOT NULL);
-- next file
ALTER TABLE plans ALTER COLUMN name TYPE varchar(120);

-- case: good
CREATE TABLE IF NOT EXISTS "public"."articles" ("id" serial PRIMARY KEY, "title" varchar(255) NOT NULL, "body" text);
-- next file
ALTER TABLE "public"."articles" ALTER COLUMN "title" SET DATA TYPE text;

-- case: good
CREATE TABLE IF NOT EXISTS ledger (id bigserial PRIMARY KEY, amount numeric(10,2) NOT NULL);
-- next file
ALTER TABLE ledger ALTER COLUMN amount TYPE numeric(14,2);

-- case: good
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS api_keys_prefix_uniq ON api_keys (prefix);
-- next file
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'api_keys_prefix_key') THEN
        ALTER TABLE api_keys ADD CONSTRAINT api_keys_prefix_key UNIQUE USING INDEX api_keys_prefix_uniq;
    END IF;
END $$;

-- case: good
DROP VIEW IF EXISTS order_summary;
CREATE VIEW order_summary AS
SELECT o.id, o.user_id, count(i.id) AS items, o.total_cents
  FROM orders o LEFT JOIN order_items i ON i.order_id = o.id
 GROUP BY o.id;

-- case: good
NOTIFY pgrst, 'reload schema';

-- case: good
CREATE OR REPLACE RULE protect_archive AS ON DELETE TO archive DO INSTEAD NOTHING;

-- case: good
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'cdc') THEN
        CREATE PUBLICATION cdc FOR TABLE public.orders, public.order_items;
    END IF;
END $$;

-- case: good
CREATE SERVER IF NOT EXISTS legacy_db FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'legacy.internal', dbname 'crm', port '5432');
CREATE FOREIGN TABLE IF NOT EXISTS legacy_contacts (
    id bigint,
    email text
) SERVER legacy_db OPTIONS (schema_name 'public', table_name 'contacts');

-- case: good
CREATE COLLATION IF NOT EXISTS case_insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- case: good
DROP EVENT TRIGGER IF EXISTS log_ddl;
CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl_command();

-- case: good
ALTER FUNCTION public.is_admin(uuid) SET search_path = '';
ALTER VIEW public.user_public SET (security_invoker = true);

-- case: good
ALTER DATABASE app SET timezone TO 'UTC';
ALTER ROLE app_rw SET statement_timeout = '30s';

-- case: good
ALTER DOMAIN email_address SET DEFAULT '';
DO $$ BEGIN
  CREATE DOMAIN postal_code AS text CHECK (VALUE ~ '^\d{5}$');
EXCEPTION WHEN duplicate_object THEN
  RAISE NOTICE 'postal_code exists';
END $$;

-- case: good
CREATE TABLE IF NOT EXISTS bookings (
    room_id int NOT NULL,
    during  tstzrange NOT NULL,
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist (room_id WITH =, during WITH &&)
);

-- case: good, in a transaction
--liquibase formatted sql
--changeset anna:add-locale
--preconditions onFail:MARK_RAN
ALTER TABLE app_user ADD COLUMN IF NOT EXISTS locale varchar(10);
--rollback ALTER TABLE app_user DROP COLUMN locale;

-- case: good
--liquibase formatted sql
--changeset bob:idx-audit runInTransaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_audit_event_entity ON audit_event (entity_type, entity_id);

-- case: good, in a transaction
/*
 * V12__customer_preferences.sql
 * One row for each customer and key.
 */
create table if not exists customer_preference (
    customer_id bigint      not null,
    pref_key    varchar(64) not null,
    pref_value  text,
    constraint pk_customer_preference primary key (customer_id, pref_key)
);
comment on table customer_preference is 'Free preferences; keys are those of the front end';

-- case: good, in a transaction
-- R__views.sql
create or replace view v_open_tickets as
    select t.id, t.subject, u.email as requester
      from ticket t
      join app_user u on u.id = t.requester_id
     where t.closed_at is null;

-- case: good
-- Django sqlmigrate, with what the reviewer asked for
ALTER TABLE "shop_order" ADD COLUMN IF NOT EXISTS "gift_note" varchar(200) DEFAULT '' NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS "shop_order_gift_note_3f1a_like" ON "shop_order" ("gift_note" varchar_pattern_ops);

-- case: transaction, in a transaction
BEGIN;
--
-- Create model Coupon
--
CREATE TABLE IF NOT EXISTS "shop_coupon" ("id" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, "code" varchar(32) NOT NULL UNIQUE, "percent" integer NOT NULL CHECK ("percent" >= 0), "valid_until" date NULL);
CREATE INDEX IF NOT EXISTS "shop_coupon_code_like" ON "shop_coupon" ("code" varchar_pattern_ops);
COMMIT;

-- case: good, in a transaction
SET check_function_bodies = false;
CREATE TABLE IF NOT EXISTS public.comments (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    post_id uuid NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE OR REPLACE FUNCTION public.set_current_timestamp_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  _new record;
BEGIN
  _new := NEW;
  _new."updated_at" = NOW();
  RETURN _new;
END;
$$;
COMMENT ON TABLE public.comments IS 'tracked by Hasura';

-- case: good, in a transaction
ALTER TABLE IF EXISTS "public"."comments" ADD COLUMN IF NOT EXISTS "edited" boolean NULL DEFAULT 'false';

-- case: good, in a transaction
-- migrate:up
CREATE TABLE IF NOT EXISTS webhooks (
  id BIGSERIAL PRIMARY KEY,
  url TEXT NOT NULL,
  secret_digest BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- migrate:down

-- case: good
-- Rails structure.sql excerpt
SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE IF NOT EXISTS public.ar_internal_metadata (
    key character varying NOT NULL PRIMARY KEY,
    value character varying,
    created_at timestamp(6) without time zone NOT NULL,
    updated_at timestamp(6) without time zone NOT NULL
);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS authors (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE IF NOT EXISTS books (
    id        bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES authors (id),
    title     text   NOT NULL,
    isbn      text   UNIQUE,
    price     numeric(8,2) CHECK (price > 0)
);
CREATE INDEX IF NOT EXISTS books_author_id_idx ON books (author_id);
CREATE INDEX IF NOT EXISTS books_title_fts ON books USING gin (to_tsvector('english', title));

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS chat_rooms (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), topic text NOT NULL);
INSERT INTO chat_rooms (id, topic) VALUES ('6f1c1a3e-63a5-4a53-9d2f-0f3d8f1b7a10', 'general') ON CONFLICT (id) DO NOTHING;
-- next file
ALTER TABLE chat_rooms ADD COLUMN IF NOT EXISTS archived_at timestamptz;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS public.notes (
  id bigint generated by default as identity primary key,
  user_id uuid not null default auth.uid(),
  body text
);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_policies WHERE schemaname = 'public' AND tablename = 'notes' AND policyname = 'own notes') THEN
    CREATE POLICY "own notes" ON public.notes FOR ALL TO authenticated USING (user_id = auth.uid());
  END IF;
END $$;

-- case: good, in a transaction
grant usage on schema public to anon, authenticated;
grant select, insert, update on table public.notes to authenticated;
revoke delete on table public.notes from authenticated;

-- case: good, in a transaction
create or replace function public.is_member(org uuid)
returns boolean
language sql
stable
security definer
set search_path = public, pg_temp
as $$
  select exists (select 1 from public.members m where m.org_id = org and m.user_id = auth.uid());
$$;
revoke all on function public.is_member(uuid) from public;
grant execute on function public.is_member(uuid) to authenticated;

-- case: good, in a transaction
alter policy "own notes" on public.notes using (user_id = (select auth.uid()));

-- case: good
CREATE OR REPLACE FUNCTION notify_order() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
  PERFORM pg_notify('orders', json_build_object('id', NEW.id, 'status', NEW.status)::text);
  RETURN NULL;
END
$fn$;
CREATE OR REPLACE TRIGGER orders_notify AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION notify_order();

-- case: good
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'users_touch' AND NOT tgisinternal) THEN
    CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE PROCEDURE set_updated_at();
  END IF;
END $$;

-- case: good
CREATE OR REPLACE AGGREGATE first_value_agg(anyelement) (SFUNC = first_sfunc, STYPE = anyelement, PARALLEL = safe);

-- case: good
DROP CAST IF EXISTS (text AS email_address);
CREATE CAST (text AS email_address) WITH INOUT AS ASSIGNMENT;

-- case: good
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                    WHERE table_schema = 'public' AND table_name = 'users' AND column_name = 'nickname') THEN
        ALTER TABLE public.users ADD COLUMN nickname varchar(40);
    END IF;
END $$;

-- case: good
DO $$
BEGIN
    BEGIN
        ALTER TABLE invoices ADD COLUMN pdf_url text;
    EXCEPTION
        WHEN duplicate_column THEN RAISE NOTICE 'column pdf_url already exists in invoices.';
    END;
END;
$$;

-- case: good
DO $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'app_owner' LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO app_owner', r.tablename);
  END LOOP;
END $$;

-- case: good
DO $$
DECLARE
  lo bigint := 0;
  hi bigint;
BEGIN
  SELECT max(id) INTO hi FROM events;
  WHILE lo <= hi LOOP
    UPDATE events SET tenant_id = 1 WHERE id > lo AND id <= lo + 5000 AND tenant_id IS NULL;
    lo := lo + 5000;
    COMMIT;
    PERFORM pg_sleep(0.1);
  END LOOP;
END $$;

-- case: good
UPDATE events SET tenant_id = 1 WHERE id BETWEEN 1 AND 10000 AND tenant_id IS NULL;
UPDATE events SET tenant_id = 1 WHERE id BETWEEN 10001 AND 20000 AND tenant_id IS NULL;

-- case: good
WITH batch AS (
  SELECT ctid FROM subscriptions WHERE plan_code IS NULL LIMIT 10000
)
UPDATE subscriptions s SET plan_code = 'legacy' FROM batch WHERE s.ctid = batch.ctid;

-- case: good
ALTER TABLE users ALTER COLUMN email SET STORAGE MAIN;
ALTER TABLE users SET (fillfactor = 85, toast_tuple_target = 4096);

-- case: good
ALTER INDEX users_email_idx SET (fillfactor = 70);
ALTER TABLE users CLUSTER ON users_pkey;

-- case: good
ALTER TABLE orders ENABLE TRIGGER orders_notify;

-- case: good
SECURITY LABEL FOR pgsodium ON COLUMN secrets.value IS NULL;

-- case: good
GRANT SELECT (id, email) ON users TO support;
GRANT app_readonly TO support;

-- case: good
SELECT 1;

-- case: good
EXPLAIN SELECT * FROM users WHERE email = 'a@example.org';

-- case: good
-- a hypertable; made once
CREATE TABLE IF NOT EXISTS conditions (
    time        TIMESTAMPTZ       NOT NULL,
    location    TEXT              NOT NULL,
    temperature DOUBLE PRECISION  NULL
);
SELECT create_hypertable('conditions', 'time', if_not_exists => TRUE);

-- case: good
SELECT cron.schedule('purge-sessions', '17 3 * * *', $$DELETE FROM public.sessions WHERE expires_at < now()$$);

-- case: good
CREATE TABLE IF NOT EXISTS places (id serial PRIMARY KEY, geom geometry(Point, 4326));
CREATE INDEX IF NOT EXISTS places_geom_gix ON places USING gist (geom);

-- case: good
CREATE TABLE IF NOT EXISTS items (id bigserial PRIMARY KEY, embedding vector(1536));
CREATE INDEX IF NOT EXISTS items_embedding_hnsw ON items USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);

-- case: good
CREATE TABLE IF NOT EXISTS copies (LIKE orders INCLUDING ALL);

-- case: good
CREATE TABLE IF NOT EXISTS order_counts AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id WITH NO DATA;

-- case: good
CREATE UNLOGGED TABLE IF NOT EXISTS import_buffer (line text);
TRUNCATE import_buffer;
DROP TABLE import_buffer;

-- case: good
BEGIN;
CREATE TEMP TABLE moved (id bigint PRIMARY KEY) ON COMMIT DROP;
INSERT INTO moved SELECT id FROM orders WHERE status = 'archived';
INSERT INTO orders_archive SELECT o.* FROM orders o JOIN moved USING (id) ON CONFLICT (id) DO NOTHING;
DELETE FROM orders WHERE id IN (SELECT id FROM moved);
COMMIT;

-- case: good
BEGIN ISOLATION LEVEL SERIALIZABLE;
UPDATE accounts SET currency = 'EUR' WHERE currency IS NULL AND country_code IN ('DE', 'FR');
COMMIT;

-- case: good
START TRANSACTION;
SAVEPOINT before_seed;
INSERT INTO tax_rates (region, rate) VALUES ('DE', 0.19), ('AT', 0.20) ON CONFLICT (region) DO NOTHING;
RELEASE SAVEPOINT before_seed;
COMMIT;

-- case: good
BEGIN;
DROP TABLE users;
ROLLBACK;

-- case: good
SELECT pg_advisory_lock(815);
CREATE TABLE IF NOT EXISTS job_locks (name text PRIMARY KEY, until timestamptz NOT NULL);
SELECT pg_advisory_unlock(815);

-- case: good, in a transaction
SELECT pg_advisory_xact_lock(hashtext('migrations'));
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS attempts int DEFAULT 0 NOT NULL;

-- case: good, in a transaction
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '15s';
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS run_after timestamptz DEFAULT statement_timestamp();

-- case: good
-- guard may speak of a lock for this one only if it were on the table in use
CREATE TABLE IF NOT EXISTS q (id bigserial, state text, payload jsonb);
ALTER TABLE q ALTER COLUMN state SET NOT NULL;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS shipments (id uuid PRIMARY KEY, order_id bigint NOT NULL, carrier text);
DO $$ BEGIN
  ALTER TABLE shipments ADD CONSTRAINT shipments_order_fk FOREIGN KEY (order_id) REFERENCES orders (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
CREATE INDEX IF NOT EXISTS shipments_order_idx ON shipments (order_id);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS "Account" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    CONSTRAINT "Account_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX IF NOT EXISTS "Account_provider_userId_key" ON "Account"("provider", "userId");
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'Account_userId_fkey') THEN
        ALTER TABLE "Account" ADD CONSTRAINT "Account_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
    END IF;
END
$$;

-- case: good
CREATE TABLE IF NOT EXISTS tree (
    id int PRIMARY KEY,
    parent_id int REFERENCES tree (id),
    path ltree
);
CREATE INDEX IF NOT EXISTS tree_path_gist ON tree USING GIST (path);
INSERT INTO tree (id, parent_id, path) VALUES (1, NULL, 'root') ON CONFLICT (id) DO NOTHING;

-- case: good
CREATE TABLE IF NOT EXISTS public.wallets (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (START WITH 100),
    owner_id    bigint NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    balance     numeric(20,8) NOT NULL DEFAULT 0,
    CONSTRAINT wallets_balance_nonneg CHECK (balance >= 0)
);

-- case: good
CREATE TABLE IF NOT EXISTS people (
    id int PRIMARY KEY,
    first_name text,
    last_name text,
    display text GENERATED ALWAYS AS (coalesce(first_name, '') || ' ' || coalesce(last_name, '')) STORED,
    born date,
    CONSTRAINT born_in_the_past CHECK (born < '2030-01-01')
);

-- case: good
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_settings_gin ON users USING gin (settings jsonb_path_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name_trgm ON users USING gin (name gin_trgm_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_at_brin ON events USING brin (created_at) WITH (pages_per_range = 64);

-- case: good
DROP INDEX CONCURRENTLY IF EXISTS orders_status_idx;
CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status) INCLUDE (total_cents) WHERE status <> 'done';

-- case: good
CREATE INDEX IF NOT EXISTS parted_key_idx ON ONLY events (tenant_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_2025_01_tenant_idx ON events_2025_01 (tenant_id);
ALTER INDEX parted_key_idx ATTACH PARTITION events_2025_01_tenant_idx;

-- case: good
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_class WHERE relname = 'measurements_old_idx' AND relkind = 'i') THEN
        RAISE NOTICE 'measurements_old_idx is still there; drop it by hand';
    END IF;
END $$;

-- case: good
CREATE TYPE address AS (street text, city text);
DROP TYPE address;

-- case: good
DO $$ BEGIN
  IF to_regtype('public.mood') IS NULL THEN
    CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
  END IF;
END $$;

-- case: good
DO $$ BEGIN
  IF to_regclass('public.legacy_flags') IS NULL THEN
    CREATE TABLE public.legacy_flags (name text PRIMARY KEY);
  END IF;
END $$;

-- case: good
ALTER TABLE public.files ADD COLUMN IF NOT EXISTS sha256 bytea;
ALTER TABLE public.files ADD COLUMN IF NOT EXISTS size_bytes int8;
CREATE INDEX CONCURRENTLY IF NOT EXISTS files_sha256_idx ON public.files USING hash (sha256);

-- case: good
-- contract, step 2: the code no longer writes it, so it may be NULL-free and unread
ALTER TABLE invoices ALTER COLUMN legacy_no SET DEFAULT NULL;
COMMENT ON COLUMN invoices.legacy_no IS 'unused since 2025-03; to be dropped';

-- case: good
CREATE OR REPLACE FUNCTION jsonb_sum(jsonb) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS '
DECLARE t numeric := 0; v jsonb;
BEGIN
  FOR v IN SELECT jsonb_array_elements($1) LOOP t := t + (v #>> ''{}'')::numeric; END LOOP;
  RETURN t;
END';

-- case: good
DROP FUNCTION IF EXISTS public.search_posts(text);
CREATE FUNCTION public.search_posts(q text) RETURNS SETOF public.posts LANGUAGE sql STABLE
SET search_path = '' AS $$
  SELECT * FROM public.posts WHERE title ILIKE '%' || q || '%';
$$;

-- case: good
DROP PROCEDURE IF EXISTS rebuild_stats();
CREATE PROCEDURE rebuild_stats() LANGUAGE sql AS $$ ANALYZE; $$;

-- case: good
DROP TRIGGER IF EXISTS "audit" ON "public"."orders";
CREATE TRIGGER "audit" AFTER UPDATE ON "public"."orders"
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit_orders();

-- case: good
/* DROP TABLE users; -- never */
-- TRUNCATE orders;
COMMENT ON TABLE users IS 'DROP TABLE users; would be bad; DELETE FROM users';

-- case: good
/* outer /* inner; DROP TABLE a; */ still a comment */
INSERT INTO help_texts (topic, body)
VALUES ('delete', $txt$To delete all rows write DELETE FROM t; and mean it.$txt$)
ON CONFLICT (topic) DO UPDATE SET body = EXCLUDED.body WHERE help_texts.body IS DISTINCT FROM EXCLUDED.body;

-- case: good
CREATE OR REPLACE FUNCTION cleanup() RETURNS void AS $outer$
BEGIN
  EXECUTE $inner$ DELETE FROM tmp_uploads WHERE created_at < now() - interval '1 day' $inner$;
  EXECUTE 'DROP TABLE IF EXISTS scratch_' || to_char(now(), 'YYYYMMDD');
END
$outer$ LANGUAGE 'plpgsql';

-- case: good
create table if not exists "Größen" ("Schlüssel" text primary key, "wert" int default 0);
create index if not exists "Größen_wert" on "Größen" ("wert");

-- case: good
CREATE  TABLE
  IF  NOT  EXISTS   weird_spacing(
a int,b int ,
  c   text   default   'x;y'  -- a comment; with a semicolon
);;

-- case: good
CREATE TABLE IF NOT EXISTS no_semicolon (id int PRIMARY KEY)

-- case: good
SET search_path = app, public;
CREATE TABLE IF NOT EXISTS carts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint);
CREATE INDEX IF NOT EXISTS carts_user ON app.carts (user_id);
RESET search_path;

-- case: good
CREATE TABLE IF NOT EXISTS shop.baskets (id int PRIMARY KEY);
-- next file
CREATE TABLE IF NOT EXISTS shop.basket_lines (
    basket_id int NOT NULL REFERENCES shop.baskets (id),
    line_no   smallint NOT NULL,
    sku       text NOT NULL,
    qty       int NOT NULL DEFAULT 1,
    PRIMARY KEY (basket_id, line_no)
);

-- case: good
BEGIN;
CREATE TABLE IF NOT EXISTS users_new (LIKE users INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE users_new ADD COLUMN IF NOT EXISTS locale text;
COMMIT;

-- case: good
ALTER TABLE IF EXISTS ONLY public.widgets ADD COLUMN IF NOT EXISTS colour varchar(16) DEFAULT 'red';

-- case: good
ALTER TABLE metrics ADD COLUMN IF NOT EXISTS bucket date DEFAULT CURRENT_DATE, ALTER COLUMN source SET DEFAULT 'agent';

-- case: good
ALTER TABLE metrics ADD COLUMN IF NOT EXISTS checksum text DEFAULT md5('seed');

-- case: good
ALTER TABLE metrics ADD COLUMN IF NOT EXISTS weight numeric(6,3) DEFAULT (1.0 / 3.0)::numeric(6,3) NOT NULL;

-- case: good
ALTER TABLE prefs ADD COLUMN IF NOT EXISTS ui jsonb DEFAULT jsonb_build_object('dense', false) NOT NULL;

-- case: good
-- the default comes later and so only for new rows
ALTER TABLE api_tokens ADD COLUMN IF NOT EXISTS public_id uuid;
ALTER TABLE api_tokens ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

-- case: good
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS api_tokens_public_id_idx ON api_tokens (public_id);
-- next file
DO $$ BEGIN
  ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_public_id_uniq UNIQUE USING INDEX api_tokens_public_id_idx;
EXCEPTION WHEN duplicate_table OR duplicate_object THEN NULL;
END $$;

-- case: good
ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS orders_status_check;
ALTER TABLE public.orders ADD CONSTRAINT orders_status_check CHECK (status IN ('new', 'paid', 'shipped', 'returned')) NOT VALID;

-- case: good
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'invoice_lines_invoice_fk') THEN
    ALTER TABLE invoice_lines ADD CONSTRAINT invoice_lines_invoice_fk
      FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON UPDATE CASCADE NOT VALID;
  END IF;
END $$;
-- next file
ALTER TABLE invoice_lines VALIDATE CONSTRAINT invoice_lines_invoice_fk;
-- next file
CREATE INDEX CONCURRENTLY IF NOT EXISTS invoice_lines_invoice_idx ON invoice_lines (invoice_id);

-- case: good
CREATE TABLE IF NOT EXISTS geo.regions (id int PRIMARY KEY, name varchar(30));
-- next file
ALTER TABLE geo.regions ALTER COLUMN name TYPE varchar;

-- case: good
CREATE TABLE IF NOT EXISTS visits (id bigserial PRIMARY KEY, at timestamptz(3), ip cidr);
-- next file
ALTER TABLE visits ALTER COLUMN at TYPE timestamptz(6);
ALTER TABLE visits ALTER COLUMN ip TYPE inet;

-- case: good
CREATE TABLE IF NOT EXISTS codes (v varbit(8));
-- next file
ALTER TABLE codes ALTER v TYPE varbit(64);

-- case: good
CREATE OR REPLACE VIEW customer_public AS SELECT id, full_name AS name FROM customers;
COMMENT ON VIEW customer_public IS 'what the shop may read';
ALTER VIEW customer_public OWNER TO app_owner;

-- case: good
DROP MATERIALIZED VIEW IF EXISTS daily_sales;
CREATE MATERIALIZED VIEW daily_sales AS
SELECT placed_at::date AS day, sum(total_cents) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX daily_sales_day ON daily_sales (day);

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS outbox_events (
  id UUID PRIMARY KEY,
  aggregate VARCHAR(100) NOT NULL,
  payload JSONB NOT NULL,
  sent BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX IF NOT EXISTS outbox_unsent ON outbox_events (id) WHERE NOT sent;
COMMENT ON INDEX outbox_unsent IS 'the relay reads through this one';

-- case: good, in a transaction
CREATE OR REPLACE FUNCTION outbox_guard() RETURNS trigger AS $$
BEGIN
  IF OLD.sent THEN RAISE EXCEPTION 'event % was sent', OLD.id USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
DROP TRIGGER IF EXISTS outbox_guard ON outbox_events;
CREATE CONSTRAINT TRIGGER outbox_guard AFTER UPDATE ON outbox_events DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION outbox_guard();

-- case: good
CREATE SCHEMA IF NOT EXISTS partman;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA partman;
GRANT USAGE ON SCHEMA partman TO app_rw;

-- case: good
CREATE TABLE IF NOT EXISTS p_orders (id bigint, placed date) PARTITION BY LIST (id);
CREATE TABLE IF NOT EXISTS p_orders_default PARTITION OF p_orders DEFAULT;

-- case: good
CREATE TABLE IF NOT EXISTS logs_2025_06 (LIKE logs INCLUDING ALL);
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'logs_2025_06_range') THEN
    ALTER TABLE logs_2025_06 ADD CONSTRAINT logs_2025_06_range
      CHECK (at >= '2025-06-01' AND at < '2025-07-01');
  END IF;
END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = 'logs_2025_06'::regclass) THEN
    ALTER TABLE logs ATTACH PARTITION logs_2025_06 FOR VALUES FROM ('2025-06-01') TO ('2025-07-01');
  END IF;
END $$;

-- case: good
INSERT INTO email_templates (slug, subject, html) VALUES
('welcome', 'Welcome!', '<p>Hello {{name}}; it''s good to see you</p>'),
('reset', 'Reset your password', E'<a href="{{url}}">Reset</a>\n')
ON CONFLICT ON CONSTRAINT email_templates_slug_key DO UPDATE
   SET subject = excluded.subject, html = excluded.html;

-- case: good
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id
  FROM roles r CROSS JOIN permissions p
 WHERE r.name = 'admin'
   AND NOT EXISTS (SELECT 1 FROM role_permissions rp WHERE rp.role_id = r.id AND rp.permission_id = p.id);

-- case: good
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id FROM roles r, permissions p WHERE r.name = 'admin' AND p.name LIKE 'billing:%'
ON CONFLICT (role_id, permission_id) DO NOTHING;

-- case: good
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM users WHERE email = 'root@example.org') THEN
    INSERT INTO users (email, name, role) VALUES ('root@example.org', 'Root', 'admin');
  END IF;
END $$;

-- case: good
DO $$
DECLARE
  org_id uuid;
BEGIN
  INSERT INTO organizations (slug, name) VALUES ('acme', 'Acme Inc.')
  ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name
  RETURNING id INTO org_id;

  INSERT INTO memberships (organization_id, user_id, role)
  SELECT org_id, u.id, 'owner' FROM users u WHERE u.email = 'founder@acme.test'
  ON CONFLICT (organization_id, user_id) DO NOTHING;
END $$;

-- case: good
UPDATE subscriptions
   SET status = CASE WHEN cancelled_at IS NULL THEN 'active' ELSE 'cancelled' END
 WHERE status IS NULL;

-- case: good
UPDATE users SET settings = jsonb_set(settings, '{theme}', '"light"') WHERE settings ->> 'theme' IS NULL;

-- case: good
UPDATE users SET settings = settings - 'old_key' WHERE settings ? 'old_key';

-- case: good
UPDATE products SET slug = regexp_replace(lower(name), '\s+', '-', 'g') WHERE slug IS NULL OR slug = '';

-- case: good
UPDATE invoices SET paid_at = now() WHERE paid_at IS NULL AND status = 'paid';

-- case: good
DELETE FROM schema_locks WHERE name = 'importer' AND acquired_at < now() - interval '1 hour';

-- case: good
DELETE FROM feature_flags WHERE name IN ('old_nav', 'beta_checkout');

-- case: good
ALTER TYPE status_kind ADD VALUE IF NOT EXISTS 'paused' BEFORE 'stopped';
-- next file
UPDATE jobs SET status = 'paused' WHERE status = 'stopped' AND resume_at IS NOT NULL;

-- case: good
CREATE OR REPLACE TRIGGER users_audit
AFTER INSERT OR UPDATE OR DELETE ON public.users
FOR EACH ROW EXECUTE FUNCTION audit.log_change('users');

-- case: good
DROP RULE IF EXISTS users_no_delete ON users;
CREATE RULE users_no_delete AS ON DELETE TO users DO INSTEAD UPDATE users SET deleted_at = now() WHERE id = OLD.id;

-- case: good
DROP POLICY IF EXISTS tenant_isolation ON projects;
CREATE POLICY tenant_isolation ON projects USING (tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;

-- case: good, in a transaction
create table if not exists public.projects2 (id uuid primary key default gen_random_uuid(), owner uuid not null);
alter table public.projects2 enable row level security;
create table if not exists public.tasks2 (id uuid primary key default gen_random_uuid(), project_id uuid not null references public.projects2 (id) on delete cascade);
alter table public.tasks2 enable row level security;
create index if not exists tasks2_project_id_idx on public.tasks2 (project_id);

-- case: good, in a transaction
alter publication supabase_realtime set table public.messages, public.rooms;

-- case: good, in a transaction
do $$
begin
  if not exists (
    select 1 from pg_publication_tables
     where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'messages'
  ) then
    alter publication supabase_realtime add table public.messages;
  end if;
end $$;

-- case: good, in a transaction
create or replace function public.match_documents(query vector(384), n int default 5)
returns table (id bigint, content text, similarity float)
language sql stable
as $$
  select d.id, d.content, 1 - (d.embedding <=> query)
    from public.documents d
   order by d.embedding <=> query
   limit least(n, 200);
$$;

-- case: good, in a transaction
create or replace view public.user_emails with (security_invoker = on) as
  select u.id, u.email from public.users u;
revoke all on public.user_emails from anon;

-- case: good
SELECT lo_unlink(l.oid) FROM pg_largeobject_metadata l WHERE NOT EXISTS (SELECT 1 FROM attachments a WHERE a.lo = l.oid);

-- case: good
DO LANGUAGE plpgsql $$
BEGIN
  IF current_setting('server_version_num')::int < 130000 THEN
    RAISE EXCEPTION 'PostgreSQL 13 is needed';
  END IF;
END $$;

-- case: good
ALTER TABLE orders VALIDATE CONSTRAINT orders_user_id_fkey;

-- case: good
ALTER TABLE order_items ALTER CONSTRAINT order_items_order_id_fkey DEFERRABLE INITIALLY DEFERRED;

-- case: good
ALTER TABLE users ALTER COLUMN id SET STATISTICS -1, ALTER COLUMN bio SET STORAGE EXTERNAL, ALTER COLUMN bio SET COMPRESSION lz4;

-- case: good
ALTER SEQUENCE orders_id_seq CACHE 50;
ALTER SEQUENCE orders_id_seq AS bigint MAXVALUE 9223372036854775807;

-- case: good
DROP TEXT SEARCH CONFIGURATION IF EXISTS german_unaccent;
CREATE TEXT SEARCH CONFIGURATION german_unaccent (COPY = german);
ALTER TEXT SEARCH CONFIGURATION german_unaccent ALTER MAPPING FOR hword, hword_part, word WITH unaccent, german_stem;

-- case: good
CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER legacy_db OPTIONS (user 'reader');
ALTER SERVER legacy_db OPTIONS (SET host 'legacy2.internal');

-- case: good
DO $$ BEGIN EXECUTE 'CREATE ROLE reporting NOLOGIN'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE reporting SET search_path = reporting, public;

-- case: good
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'invoices' AND column_name = 'due')
     AND NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'invoices' AND column_name = 'due_on') THEN
    ALTER TABLE invoices ADD COLUMN due_on date;
  END IF;
END $$;

-- case: good
SET ROLE app_owner;
CREATE TABLE IF NOT EXISTS app.jobs_archive (LIKE app.jobs INCLUDING DEFAULTS);
RESET ROLE;

-- case: good
LOAD 'auto_explain';
SET work_mem = '256MB';
SET maintenance_work_mem TO '1GB';
SET max_parallel_maintenance_workers = 4;
CREATE INDEX CONCURRENTLY IF NOT EXISTS big_table_ts ON big_table (ts);

-- case: good
CREATE TABLE IF NOT EXISTS kv (k text PRIMARY KEY, v text);
COPY (SELECT k, v FROM kv) TO STDOUT WITH (FORMAT csv, HEADER);

-- case: good
DO $$
DECLARE c text;
BEGIN
  SELECT conname INTO c FROM pg_constraint WHERE conrelid = 'jobs'::regclass AND contype = 'c' AND conname = 'jobs_kind_check';
  IF c IS NULL THEN
    ALTER TABLE jobs ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('a', 'b')) NOT VALID;
  END IF;
END $$;

-- case: good
CREATE OR REPLACE FUNCTION f_touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path TO 'pg_catalog', 'public'
AS $$ BEGIN NEW.touched := clock_timestamp(); RETURN NEW; END $$;

-- case: good
ALTER TABLE inventory ADD COLUMN IF NOT EXISTS reserved int NOT NULL DEFAULT 0;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'inventory_reserved_ck') THEN
    ALTER TABLE inventory ADD CONSTRAINT inventory_reserved_ck CHECK (reserved >= 0) NOT VALID;
  END IF;
END $$;

-- case: good
DISCARD PLANS;
SET default_transaction_isolation = 'read committed';
SHOW server_version;

-- case: non-idempotent, in a transaction
-- CreateTable
CREATE TABLE "Session" (
    "id" TEXT NOT NULL,
    "sessionToken" TEXT NOT NULL,
    "expires" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- case: non-idempotent, in a transaction
-- CreateEnum
CREATE TYPE "Visibility" AS ENUM ('PUBLIC', 'PRIVATE');

-- case: non-idempotent, in a transaction
-- AlterTable
ALTER TABLE "User" ADD COLUMN     "bio" TEXT;

-- case: non-idempotent, in a transaction
-- AlterTable
ALTER TABLE "Post" ADD COLUMN IF NOT EXISTS "a" TEXT,
ADD COLUMN     "b" TEXT;

-- case: non-idempotent, in a transaction
create policy "Anyone can read" on public.announcements for select using (true);

-- case: non-idempotent, in a transaction
alter publication supabase_realtime add table public.messages;

-- case: non-idempotent, in a transaction
CREATE TRIGGER handle_updated_at BEFORE UPDATE ON public.todos
  FOR EACH ROW EXECUTE PROCEDURE extensions.moddatetime (updated_at);

-- case: non-idempotent
CREATE INDEX CONCURRENTLY idx_orders_user ON orders (user_id);

-- case: non-idempotent
CREATE INDEX CONCURRENTLY ON orders (user_id);

-- case: non-idempotent
DROP INDEX CONCURRENTLY idx_orders_user;

-- case: non-idempotent
CREATE VIEW v_active AS SELECT * FROM users WHERE is_active;

-- case: non-idempotent
CREATE MATERIALIZED VIEW mv_totals AS SELECT user_id, sum(total_cents) FROM orders GROUP BY 1;

-- case: non-idempotent
CREATE FUNCTION add_one(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1';

-- case: non-idempotent
CREATE SEQUENCE public.ticket_no START 1000;

-- case: non-idempotent
CREATE SCHEMA reporting;

-- case: non-idempotent
CREATE EXTENSION hstore;

-- case: non-idempotent
CREATE ROLE app_batch NOLOGIN;

-- case: non-idempotent
CREATE DOMAIN positive_int AS integer CHECK (VALUE > 0);

-- case: non-idempotent
CREATE PUBLICATION analytics FOR ALL TABLES;

-- case: non-idempotent
CREATE STATISTICS s_orders (dependencies) ON user_id, status FROM orders;

-- case: non-idempotent
ALTER TYPE order_status ADD VALUE 'on_hold';

-- case: non-idempotent
ALTER TABLE orders ADD CONSTRAINT orders_qty_check CHECK (total_cents < 100000000) NOT VALID;

-- case: non-idempotent
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES public.users(id) NOT VALID;

-- case: non-idempotent
ALTER TABLE orders ADD CHECK (total_cents >= 0) NOT VALID;

-- case: non-idempotent
ALTER TABLE orders ADD CONSTRAINT orders_ref_key UNIQUE USING INDEX orders_ref_idx;

-- case: non-idempotent
ALTER TABLE invoices RENAME CONSTRAINT invoices_pk TO invoices_pkey;

-- case: non-idempotent
ALTER INDEX idx_a RENAME TO idx_b;

-- case: non-idempotent
ALTER TYPE mood RENAME VALUE 'meh' TO 'ok';

-- case: non-idempotent
ALTER TABLE events DETACH PARTITION events_2019 CONCURRENTLY;

-- case: non-idempotent
ALTER TABLE events ATTACH PARTITION events_2026_01 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');

-- case: non-idempotent
CREATE TABLE events_2025_07 PARTITION OF events FOR VALUES FROM ('2025-07-01') TO ('2025-08-01');

-- case: non-idempotent
INSERT INTO categories (name) VALUES ('Books'), ('Music');

-- case: non-idempotent
INSERT INTO audit_log (action, at) SELECT 'migrated', now();

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS levels (id serial PRIMARY KEY, name text);
INSERT INTO levels (name) VALUES ('gold'), ('silver');

-- case: non-idempotent
UPDATE products SET price = price * 1.05 WHERE category_id = 7;

-- case: non-idempotent
UPDATE accounts a SET balance = a.balance + t.amount FROM transfers t WHERE t.account_id = a.id AND t.booked_on = '2025-01-01';

-- case: non-idempotent
UPDATE articles SET title = title || ' (archived)' WHERE published_at < '2015-01-01';

-- case: non-idempotent
ALTER SEQUENCE orders_id_seq RESTART WITH 100000;

-- case: non-idempotent
SELECT setval('public.users_id_seq', 5000, true);

-- case: non-idempotent
COPY countries (code, name) FROM stdin;
DE	Germany
FR	France
\.

-- case: non-idempotent
COPY public.zip_codes FROM '/data/zip_codes.csv' WITH (FORMAT csv, HEADER true);

-- case: non-idempotent
\copy cities FROM 'cities.csv' CSV HEADER

-- case: non-idempotent
SELECT * INTO users_backup_20250101 FROM users;

-- case: non-idempotent
CREATE TABLE users_backup AS TABLE users;

-- case: non-idempotent
CREATE EVENT TRIGGER no_drops ON sql_drop EXECUTE FUNCTION forbid_drop();

-- case: non-idempotent
CREATE OPERATOR === (LEFTARG = box, RIGHTARG = box, FUNCTION = box_same);

-- case: non-idempotent
CREATE CAST (varchar AS integer) WITH INOUT;

-- case: non-idempotent
CREATE SERVER erp FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'erp');

-- case: non-idempotent
IMPORT FOREIGN SCHEMA public FROM SERVER erp INTO erp;

-- case: non-idempotent
DO $$
BEGIN
  CREATE TABLE job_runs (id bigserial PRIMARY KEY, started timestamptz);
END $$;

-- case: non-idempotent
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'users') THEN
    ALTER TABLE users ADD COLUMN flags int;
  END IF;
END $$;

-- case: non-idempotent
DO $$ BEGIN
  EXECUTE 'CREATE INDEX idx_tmp ON small_table (a)';
END $$;

-- case: non-idempotent
CREATE RULE log_upd AS ON UPDATE TO prices DO ALSO INSERT INTO price_log VALUES (OLD.id, NEW.price);

-- case: non-idempotent
ALTER EXTENSION postgis UPDATE TO '3.4.0';
CREATE AGGREGATE med(numeric) (SFUNC = numeric_add, STYPE = numeric);

-- case: good
DROP POLICY own_rows ON projects;
CREATE POLICY own_rows ON projects USING (owner = current_user);

-- case: good
DROP TRIGGER t_upd ON orders;
CREATE TRIGGER t_upd BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- case: non-idempotent
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'colour') THEN
    CREATE TYPE colour AS ENUM ('red');
  END IF;
  CREATE TYPE shade AS ENUM ('dark');
END $$;

-- case: non-idempotent
WITH moved AS (SELECT id, note FROM old_notes WHERE id > 100)
INSERT INTO notes (old_id, body) SELECT id, note FROM moved;

-- case: non-idempotent
ALTER TABLE books SET SCHEMA library;

-- case: non-idempotent
ALTER TABLE items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;

-- case: non-idempotent
CREATE COLLATION german (locale = 'de_DE');

-- case: destructive
-- DropTable
DROP TABLE "LegacySession";

-- case: destructive, in a transaction
-- AlterTable
ALTER TABLE "User" DROP COLUMN "legacyId",
ADD COLUMN     "externalId" TEXT;

-- case: destructive, in a transaction
drop table if exists public.old_profiles cascade;

-- case: destructive
DROP TABLE IF EXISTS a, b, "c d";

-- case: destructive
ALTER TABLE customers DROP first_name, DROP last_name;

-- case: destructive
ALTER TABLE IF EXISTS ONLY customers DROP COLUMN IF EXISTS fax RESTRICT;

-- case: destructive
DELETE FROM audit_log;

-- case: destructive
DELETE FROM ONLY public.events WHERE TRUE;

-- case: destructive
DELETE FROM events WHERE 1 = 1 OR id = 5;

-- case: destructive
WITH gone AS (DELETE FROM carts RETURNING *)
INSERT INTO carts_archive SELECT * FROM gone ON CONFLICT DO NOTHING;

-- case: destructive
TRUNCATE ONLY sessions;

-- case: destructive
TRUNCATE TABLE public.users CASCADE;

-- case: destructive
DO $$ BEGIN
  EXECUTE 'TRUNCATE audit.events';
END $$;

-- case: destructive
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'staging' LOOP
    EXECUTE 'DROP TABLE IF EXISTS staging.' || quote_ident(t) || ' CASCADE';
  END LOOP;
END $$;

-- case: destructive
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'ssn') THEN
    ALTER TABLE users DROP COLUMN ssn;
  END IF;
END $$;

-- case: destructive
UPDATE users SET password_reset_required = true;

-- case: destructive
UPDATE public.products AS p SET visible = false WHERE p.id IS NOT NULL OR true;

-- case: destructive
DROP SCHEMA IF EXISTS staging CASCADE;

-- case: destructive
DROP VIEW IF EXISTS v_orders_old;

-- case: destructive
DROP MATERIALIZED VIEW IF EXISTS mv_stats CASCADE;

-- case: destructive
DROP FUNCTION IF EXISTS public.calculate_tax(numeric, text);

-- case: destructive
DROP TYPE IF EXISTS public.old_status CASCADE;

-- case: destructive
DROP EXTENSION IF EXISTS "uuid-ossp" CASCADE;

-- case: destructive
DROP OWNED BY temp_contractor CASCADE;

-- case: destructive
DROP SEQUENCE IF EXISTS public.legacy_seq;

-- case: destructive
ALTER TABLE accounts DROP CONSTRAINT IF EXISTS accounts_balance_check;

-- case: destructive
ALTER TABLE order_items
  DROP CONSTRAINT IF EXISTS order_items_order_id_fkey,
  ADD CONSTRAINT order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE NOT VALID;

-- case: destructive
ALTER TABLE sessions SET UNLOGGED;

-- case: destructive
DROP POLICY IF EXISTS "Only admins" ON public.secrets;

-- case: destructive
BEGIN;
CREATE TABLE IF NOT EXISTS users2 (LIKE users INCLUDING ALL);
DROP TABLE IF EXISTS users;
COMMIT;

-- case: destructive
SELECT 1; DROP TABLE IF EXISTS /* the old one */ "Orders";

-- case: destructive
ALTER TABLE users ALTER COLUMN notes DROP EXPRESSION IF EXISTS;
ALTER TABLE users DROP COLUMN IF EXISTS "oldNotes";

-- case: destructive
ALTER TYPE address DROP ATTRIBUTE IF EXISTS zip CASCADE;

-- case: destructive
DROP SERVER IF EXISTS erp CASCADE;

-- case: destructive
DROP PROCEDURE IF EXISTS nightly();

-- case: destructive
DROP TRIGGER IF EXISTS audit_orders ON orders;

-- case: destructive
DROP USER IF EXISTS intern;

-- case: lock, in a transaction
-- CreateIndex
CREATE INDEX IF NOT EXISTS "Post_authorId_idx" ON "Post"("authorId");

-- case: lock
CREATE UNIQUE INDEX IF NOT EXISTS users_phone_key ON public.users (phone);

-- case: lock
DO $$ BEGIN
  IF to_regclass('public.idx_users_org') IS NULL THEN
    CREATE INDEX idx_users_org ON public.users USING btree (org_id);
  END IF;
END $$;

-- case: lock
DROP INDEX IF EXISTS public.idx_orders_status;

-- case: lock
REINDEX TABLE orders;

-- case: lock
REINDEX (VERBOSE) INDEX public.orders_pkey;

-- case: lock, in a transaction
ALTER TABLE "Order" ADD COLUMN IF NOT EXISTS "publicId" UUID NOT NULL DEFAULT gen_random_uuid();

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS seen_at timestamptz DEFAULT clock_timestamp();

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS seq bigserial;

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS total numeric GENERATED ALWAYS AS (total_cents / 100.0) STORED;

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS row_no bigint GENERATED BY DEFAULT AS IDENTITY;

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS shard int DEFAULT (random() * 16)::int;

-- case: lock
ALTER TABLE orders ALTER COLUMN id TYPE bigint;

-- case: lock
ALTER TABLE "Event" ALTER COLUMN "payload" SET DATA TYPE JSONB USING "payload"::jsonb;

-- case: lock
ALTER TABLE events ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'Europe/Berlin';

-- case: lock
ALTER TABLE users ALTER COLUMN email SET NOT NULL;

-- case: lock
ALTER TABLE users ALTER email SET NOT NULL, ALTER COLUMN name SET DEFAULT '';

-- case: lock
DO $$ BEGIN
  ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- case: lock
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_amount_check;
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (total_cents BETWEEN 0 AND 10000000);

-- case: lock
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'users_email_key') THEN
    ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
  END IF;
END $$;

-- case: lock
DO $$ BEGIN
  ALTER TABLE order_items ADD PRIMARY KEY (order_id, line_no);
EXCEPTION WHEN invalid_table_definition THEN NULL;
END $$;

-- case: lock
DO $$ BEGIN
  ALTER TABLE reservations ADD CONSTRAINT no_overlap EXCLUDE USING gist (room_id WITH =, during WITH &&);
EXCEPTION WHEN duplicate_table THEN NULL;
END $$;

-- case: lock, in a transaction
ALTER TABLE payments DROP CONSTRAINT IF EXISTS payments_amount_ck;
ALTER TABLE payments ADD CONSTRAINT payments_amount_ck CHECK (amount > 0) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT payments_amount_ck;

-- case: lock
ALTER TABLE comments ADD COLUMN IF NOT EXISTS author_id bigint REFERENCES users (id);

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS handle text UNIQUE;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS age int CHECK (age > 0);

-- case: lock
VACUUM FULL public.events;

-- case: lock
VACUUM (FULL, ANALYZE) events;

-- case: lock
CLUSTER orders USING orders_placed_at_idx;

-- case: lock
REFRESH MATERIALIZED VIEW reporting.daily;

-- case: lock, in a transaction
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;

-- case: lock
ALTER TABLE events SET TABLESPACE fast_disk;

-- case: lock
ALTER TABLE scratch SET LOGGED;

-- case: lock, in a transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS display_name text;
UPDATE users SET display_name = name WHERE display_name IS NULL;

-- case: lock
ALTER DOMAIN email_address DROP CONSTRAINT IF EXISTS email_check;
ALTER DOMAIN email_address ADD CONSTRAINT email_check CHECK (VALUE LIKE '%@%');

-- case: lock
CREATE INDEX IF NOT EXISTS u_idx ON ONLY other.users (a);
CREATE TABLE IF NOT EXISTS app.users (a int);
CREATE INDEX IF NOT EXISTS u_idx2 ON other.users (a);

-- case: lock
ALTER TABLE users ALTER COLUMN balance TYPE numeric(14,4);

-- case: lock
ALTER TABLE metrics ALTER COLUMN value TYPE double precision;

-- case: lock
ALTER TABLE users ALTER COLUMN role TYPE user_role USING role::user_role;

-- case: lock
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = 'events_old'::regclass) THEN
    ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
  END IF;
END $$;

-- case: lock
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = 'events_2018'::regclass) THEN
    ALTER TABLE events DETACH PARTITION events_2018;
  END IF;
END $$;

-- case: lock
ALTER TABLE orders SET ACCESS METHOD columnar;

-- case: breaking
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='users' AND column_name='mail') THEN
    ALTER TABLE users RENAME COLUMN mail TO email;
  END IF;
END $$;

-- case: breaking
ALTER TABLE "User" RENAME COLUMN "fullName" TO "name";

-- case: breaking
ALTER TABLE orders RENAME TO purchase_orders;

-- case: breaking
ALTER TABLE IF EXISTS public.customer RENAME TO customers;

-- case: breaking
ALTER TABLE users ALTER COLUMN email DROP NOT NULL;

-- case: breaking
ALTER TABLE users ALTER COLUMN status DROP DEFAULT;

-- case: breaking
ALTER TABLE users ADD COLUMN IF NOT EXISTS prefs json;

-- case: breaking
ALTER TABLE orders DISABLE TRIGGER ALL;

-- case: breaking
ALTER SCHEMA sales RENAME TO commerce;

-- case: breaking
ALTER TYPE status RENAME TO order_state;

-- case: breaking
ALTER TABLE orders ALTER COLUMN id TYPE uuid USING gen_random_uuid();

-- case: may-fail, in a transaction
-- AlterTable
ALTER TABLE "User" ADD COLUMN IF NOT EXISTS "tenantId" TEXT NOT NULL;

-- case: may-fail
ALTER TABLE orders ADD COLUMN IF NOT EXISTS channel varchar(10) NOT NULL;

-- case: may-fail
ALTER TABLE users ALTER COLUMN phone SET NOT NULL;

-- case: may-fail
CREATE UNIQUE INDEX IF NOT EXISTS accounts_iban ON accounts (iban);

-- case: may-fail
CREATE TABLE IF NOT EXISTS tags (id serial PRIMARY KEY, label varchar(100));
-- next file
ALTER TABLE tags ALTER COLUMN label TYPE varchar(20);

-- case: may-fail
ALTER TABLE metrics ALTER COLUMN value TYPE integer USING value::integer;

-- case: may-fail
DO $$ BEGIN
  ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon_id) REFERENCES coupons (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- case: may-fail
CREATE TABEL oops (id int);

-- case: may-fail
CREATE TABLE IF NOT EXISTS twice (id int, name text, id bigint);

-- case: transaction, in a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_big_a ON big (a);

-- case: transaction
BEGIN;
DROP INDEX CONCURRENTLY IF EXISTS idx_big_a;
COMMIT;

-- case: transaction, in a transaction
REINDEX INDEX CONCURRENTLY idx_big_b;

-- case: transaction, in a transaction
VACUUM ANALYZE users;

-- case: transaction, in a transaction
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'lost';
UPDATE orders SET status = 'lost' WHERE id = 17;

-- case: transaction
BEGIN;
ALTER TABLE users ADD COLUMN IF NOT EXISTS x int;

-- case: transaction
BEGIN;
BEGIN;
UPDATE users SET name = 'x' WHERE id = 1;
COMMIT;
COMMIT;

-- case: transaction, in a transaction
BEGIN;
ALTER TABLE users ADD COLUMN IF NOT EXISTS y int;
COMMIT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_y ON users (y);

-- case: transaction
LOCK TABLE users IN SHARE MODE;

-- case: transaction
SET LOCAL lock_timeout = '2s';
ALTER TABLE users ADD COLUMN IF NOT EXISTS z int;

-- case: transaction, in a transaction
ALTER SYSTEM SET work_mem = '64MB';

-- case: transaction, in a transaction
CREATE DATABASE reporting;

-- case: transaction, in a transaction
DO $$ BEGIN
  IF to_regclass('idx_q') IS NULL THEN
    CREATE INDEX CONCURRENTLY idx_q ON q (a);
  END IF;
END $$;

-- case: transaction, in a transaction
ALTER TABLE logs DETACH PARTITION logs_2019 CONCURRENTLY;

-- case: transaction, in a transaction
ALTER TYPE public.kind ADD VALUE IF NOT EXISTS 'new_kind';
CREATE TABLE IF NOT EXISTS kinds (k public.kind DEFAULT 'new_kind');

-- case: transaction
START TRANSACTION;
CREATE TABLE IF NOT EXISTS t_open (a int);
SAVEPOINT s;
RELEASE SAVEPOINT s;

-- case: transaction, in a transaction
CREATE SUBSCRIPTION sub CONNECTION 'host=primary dbname=app' PUBLICATION cdc;

-- case: security, in a transaction
alter table public.profiles disable row level security;

-- case: security
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO app_user;

-- case: security
GRANT SELECT ON users TO PUBLIC;

-- case: security, in a transaction
create or replace function public.delete_user(uid uuid) returns void
language plpgsql security definer as $$
begin
  delete from auth.users where id = uid;
end;
$$;

-- case: security
CREATE ROLE reporting LOGIN PASSWORD 's3cr3t';

-- case: security
ALTER USER app WITH ENCRYPTED PASSWORD 'hunter2';

-- case: security
ALTER ROLE deploy SUPERUSER;

-- case: security
CREATE USER ops WITH SUPERUSER CREATEDB;

-- case: security
SET session_replication_role = 'replica';

-- case: security
ALTER SYSTEM SET log_statement = 'none';

-- case: security, in a transaction
create table if not exists public.posts (id int primary key);
alter table public.posts enable row level security;
create table if not exists public.likes (id int primary key);

-- case: security
GRANT pg_execute_server_program TO app;

-- case: security
ALTER ROLE support BYPASSRLS;

-- case: security
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon;

-- case: security
CREATE USER MAPPING IF NOT EXISTS FOR app SERVER legacy_db OPTIONS (user 'app', password 'topsecret');

-- case: security
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'svc') THEN
    CREATE ROLE svc LOGIN PASSWORD 'changeme';
  END IF;
END $$;

-- case: security
CREATE OR REPLACE PROCEDURE admin_reset() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM 1; END $$;

-- case: security
ALTER FUNCTION public.get_secret(text) SECURITY DEFINER;

-- case: security
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO public;

-- case: irreversible
CREATE TABLE IF NOT EXISTS stamps (id int PRIMARY KEY, at timestamptz);
-- next file
ALTER TABLE stamps ALTER COLUMN at TYPE date;

-- Held out, a second time: written before the first answers were read.

-- case: good
CREATE TABLE IF NOT EXISTS public.api_clients (
    id          uuid        DEFAULT uuid_generate_v4() PRIMARY KEY,
    name        text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    scopes      text[]      NOT NULL DEFAULT ARRAY[]::text[],
    last_used   timestamptz,
    created_by  bigint      REFERENCES public.users ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS api_clients_scopes_idx ON public.api_clients USING gin (scopes);

-- case: good
ALTER TABLE public.users
  ADD COLUMN IF NOT EXISTS marketing_opt_in boolean,
  ALTER COLUMN marketing_opt_in SET DEFAULT false;

-- case: good
DO $migration$
BEGIN
  PERFORM 1 FROM pg_attribute WHERE attrelid = 'public.users'::regclass AND attname = 'avatar' AND NOT attisdropped;
  IF NOT FOUND THEN
    ALTER TABLE public.users ADD COLUMN avatar text;
  END IF;
END
$migration$;

-- case: good
DO $$
BEGIN
  IF (SELECT count(*) FROM pg_indexes WHERE indexname = 'users_pkey') = 0 THEN
    RAISE EXCEPTION 'users has no key';
  END IF;
END $$;

-- case: good
DO $$
BEGIN
    CREATE TYPE billing_period AS ENUM ('month', 'year');
EXCEPTION
    WHEN OTHERS THEN
        RAISE NOTICE 'billing_period: %', SQLERRM;
END $$;

-- case: good
DO $$
DECLARE
  has_role boolean := EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'metrics');
BEGIN
  IF NOT has_role THEN
    CREATE ROLE metrics NOLOGIN NOINHERIT;
  END IF;
END $$;

-- case: good, in a transaction
create table if not exists public.rsvps (
  event_id uuid not null,
  user_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamptz default timezone('utc'::text, now()) not null,
  primary key (event_id, user_id)
);
alter table public.rsvps enable row level security;
do $$ begin
  create policy "see own rsvps" on public.rsvps for select to authenticated using (user_id = auth.uid());
exception when duplicate_object then null;
end $$;

-- case: good, in a transaction
create or replace function public.custom_access_token_hook(event jsonb)
returns jsonb
language plpgsql
stable
as $$
declare
  claims jsonb;
begin
  claims := event -> 'claims';
  return jsonb_set(event, '{claims}', claims);
end;
$$;
grant execute on function public.custom_access_token_hook to supabase_auth_admin;
revoke execute on function public.custom_access_token_hook from authenticated, anon, public;

-- case: good, in a transaction
insert into storage.buckets (id, name, public)
select 'docs', 'docs', false
where not exists (select 1 from storage.buckets where id = 'docs');

-- case: good
SET SESSION lock_timeout = '1500ms';
CREATE INDEX CONCURRENTLY IF NOT EXISTS "Order_customerId_createdAt_idx" ON "Order" ("customerId", "createdAt" DESC NULLS LAST);
SET SESSION lock_timeout = DEFAULT;

-- case: good
BEGIN;
CREATE TABLE IF NOT EXISTS addr (id bigserial PRIMARY KEY, user_id bigint NOT NULL, line1 text);
ALTER TABLE addr DROP CONSTRAINT IF EXISTS addr_user_fk;
ALTER TABLE addr ADD CONSTRAINT addr_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
CREATE INDEX IF NOT EXISTS addr_user_idx ON addr (user_id);
END;

-- case: good
UPDATE users SET role = 'member' WHERE role NOT IN ('admin', 'member', 'guest');

-- case: good
UPDATE users SET (username, status) = (lower(username), 'active') WHERE username <> lower(username);

-- case: good
UPDATE orders SET notes = NULL WHERE notes = '';

-- case: good
UPDATE orders o SET currency = coalesce(u.notes, 'EUR') FROM users u WHERE u.id = o.user_id AND o.currency IS NULL AND o.id <= 5000;

-- case: good
WITH dups AS (
  SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS rn FROM tags
)
DELETE FROM tags WHERE id IN (SELECT id FROM dups WHERE rn > 1);

-- case: good
INSERT INTO roles AS r (name, description) VALUES ('auditor', 'may look')
ON CONFLICT (name) DO UPDATE SET description = EXCLUDED.description
WHERE r.description IS DISTINCT FROM EXCLUDED.description
RETURNING r.id;

-- case: good
INSERT INTO countries (code, name)
SELECT 'NO', 'Norway'
EXCEPT
SELECT code, name FROM countries;

-- case: good
INSERT INTO permissions (name)
SELECT x FROM unnest(ARRAY['a', 'b', 'c']) AS x
WHERE x NOT IN (SELECT name FROM permissions);

-- case: good
CREATE TABLE IF NOT EXISTS shard_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE IF NOT EXISTS shard_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 1);

-- case: good
CREATE TABLE IF NOT EXISTS lookups (code varchar(10) COLLATE "C" PRIMARY KEY, label text NOT NULL) WITH (fillfactor = 100);
ALTER TABLE lookups ADD COLUMN IF NOT EXISTS sort int NOT NULL;
UPDATE lookups SET sort = 0 WHERE sort IS NULL;

-- case: good
CREATE TABLE IF NOT EXISTS docs2 (id int PRIMARY KEY, title varchar(80));
-- next file
ALTER TABLE docs2 ALTER COLUMN title TYPE varchar(200), ALTER COLUMN title SET DEFAULT 'untitled';

-- case: good
CREATE TABLE IF NOT EXISTS intervals (d interval(0), b bit varying(4), t time(3));
-- next file
ALTER TABLE intervals ALTER COLUMN d TYPE interval(6);
ALTER TABLE intervals ALTER COLUMN t TYPE time(6);

-- case: good
ALTER TABLE orders ADD COLUMN IF NOT EXISTS source text DEFAULT current_setting('app.source', true);

-- case: good
ALTER TABLE orders ADD COLUMN IF NOT EXISTS tax_rate numeric DEFAULT round(0.19, 2), ADD COLUMN IF NOT EXISTS labels hstore;

-- case: good
ALTER TABLE orders ADD COLUMN IF NOT EXISTS seen date DEFAULT ('now'::text)::date;

-- case: good
DROP INDEX CONCURRENTLY IF EXISTS public."Order_old_idx";

-- case: good
CREATE OR REPLACE VIEW v_user_orders AS
  WITH recent AS (SELECT * FROM orders WHERE placed_at > now() - interval '90 days')
  SELECT u.id, u.email, count(r.*) AS n FROM users u LEFT JOIN recent r ON r.user_id = u.id GROUP BY u.id;

-- case: good
CREATE OR REPLACE RECURSIVE VIEW tree_paths (id, depth) AS
  SELECT id, 1 FROM tree0 WHERE parent_id IS NULL
  UNION ALL
  SELECT t.id, p.depth + 1 FROM tree0 t JOIN tree_paths p ON t.parent_id = p.id;

-- case: good
CREATE MATERIALIZED VIEW IF NOT EXISTS user_spend AS SELECT user_id, sum(total_cents) AS cents FROM orders GROUP BY 1;
CREATE UNIQUE INDEX IF NOT EXISTS user_spend_uid ON user_spend (user_id);
REFRESH MATERIALIZED VIEW CONCURRENTLY user_spend;

-- case: good
CREATE OR REPLACE FUNCTION prune() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE jobs IN EXCLUSIVE MODE;
  DELETE FROM jobs;
  ALTER TABLE jobs DISABLE TRIGGER ALL;
  TRUNCATE job_results;
END $$;

-- case: good
CREATE OR REPLACE FUNCTION tenant_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

-- case: good
CREATE OR REPLACE FUNCTION admin_only() RETURNS boolean
    SECURITY DEFINER
    STABLE
    SET search_path FROM CURRENT
    LANGUAGE sql
    AS $$ SELECT true $$;

-- case: good
DROP TRIGGER IF EXISTS trg_users_audit ON public.users;
CREATE TRIGGER trg_users_audit AFTER UPDATE OF email ON public.users
FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
EXECUTE FUNCTION audit.log_change();

-- case: good
COMMENT ON CONSTRAINT orders_user_id_fkey ON orders IS 'no cascade by intent';
COMMENT ON FUNCTION set_updated_at() IS 'sets updated_at';
COMMENT ON TYPE order_status IS 'life of an order';

-- case: good
GRANT SELECT, INSERT, UPDATE ON TABLE public.orders, public.order_items TO app_rw;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app_rw;
GRANT EXECUTE ON FUNCTION public.is_admin(uuid) TO app_rw;

-- case: good
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS orders_tenant ON public.orders;
CREATE POLICY orders_tenant ON public.orders AS RESTRICTIVE FOR ALL TO app_rw
  USING (user_id::text = current_setting('app.user'));

-- case: good
ALTER TABLE jobs ALTER COLUMN status SET DEFAULT 'queued', ALTER COLUMN kind SET STATISTICS 1000;
ANALYZE (VERBOSE) jobs (status);

-- case: good
ALTER MATERIALIZED VIEW reporting.daily SET (autovacuum_enabled = true);
ALTER INDEX orders_pkey SET (fillfactor = 90);

-- case: good
SELECT pg_notify('migrations', 'done');

-- case: good
SELECT setval('orders_id_seq', max(id)) FROM orders;

-- case: good
SELECT setval('users_id_seq', (SELECT last_value FROM users_id_seq), true);

-- case: good
DO $$
DECLARE
  part date := date '2025-08-01';
BEGIN
  FOR i IN 0..5 LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
      to_char(part, 'YYYY_MM'), part, part + interval '1 month');
    part := part + interval '1 month';
  END LOOP;
END $$;

-- case: good
DO $$
DECLARE
  rows_left bigint;
BEGIN
  LOOP
    WITH todo AS (
      SELECT id FROM users WHERE status IS NULL LIMIT 500 FOR UPDATE SKIP LOCKED
    )
    UPDATE users u SET status = 'active' FROM todo WHERE u.id = todo.id;
    GET DIAGNOSTICS rows_left = ROW_COUNT;
    EXIT WHEN rows_left = 0;
    COMMIT;
  END LOOP;
END $$;

-- case: good
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.schedule('vacuum', '0 4 * * *', 'VACUUM');
  END IF;
END $$;

-- case: good
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
                  WHERE t.relname = 'payments' AND c.conname = 'payments_pos') THEN
    EXECUTE 'ALTER TABLE payments ADD CONSTRAINT payments_pos CHECK (amount > 0) NOT VALID';
  END IF;
END $$;
-- next file
ALTER TABLE payments VALIDATE CONSTRAINT payments_pos;

-- case: good
ALTER TABLE customers DROP CONSTRAINT IF EXISTS customers_first_nn;
ALTER TABLE customers ADD CONSTRAINT customers_first_nn CHECK (first_name IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE customers VALIDATE CONSTRAINT customers_first_nn;
-- next file
ALTER TABLE customers ALTER COLUMN first_name SET NOT NULL;
ALTER TABLE customers DROP CONSTRAINT IF EXISTS customers_first_nn;

-- case: good
-- swap an index
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user_id_idx2 ON orders (user_id, placed_at);
DROP INDEX CONCURRENTLY IF EXISTS orders_user_id_idx;

-- case: good
CREATE TEMP TABLE IF NOT EXISTS stage (email text, n int);
TRUNCATE stage;
INSERT INTO stage VALUES ('a', 1);
UPDATE stage SET n = n + 1;
DELETE FROM stage;

-- case: good
BEGIN;
SELECT pg_try_advisory_xact_lock(42);
SET LOCAL statement_timeout = '10min';
INSERT INTO orders_archive SELECT * FROM orders WHERE placed_at < '2019-01-01' ON CONFLICT DO NOTHING;
COMMIT;

-- case: good
SELECT format('DROP TABLE %I', 'users') AS what_would_be_run;

-- case: good
\echo done
\timing on
\pset pager off
SELECT count(*) FROM users;

-- case: good
CREATE TABLE IF NOT EXISTS lists (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "order" int, "user" text, "table" text);
ALTER TABLE lists ADD COLUMN IF NOT EXISTS "default" text DEFAULT 'x';
CREATE UNIQUE INDEX IF NOT EXISTS lists_user ON lists ("user") NULLS NOT DISTINCT;

-- case: good
CREATE SEQUENCE IF NOT EXISTS app.number_seq AS integer MINVALUE 1 NO CYCLE OWNED BY NONE;
ALTER TABLE orders ALTER COLUMN ref SET DEFAULT 'R' || nextval('app.number_seq');

-- case: good
CREATE TABLE IF NOT EXISTS multi (id int, PRIMARY KEY (id)); COMMENT ON TABLE multi IS 'one line'; CREATE INDEX IF NOT EXISTS multi_i ON multi (id);

-- case: good
/*! not MySQL */ CREATE SCHEMA IF NOT EXISTS tenant_1; CREATE TABLE IF NOT EXISTS tenant_1.users (LIKE public.users INCLUDING ALL);

-- case: good
CREATE OR REPLACE TRIGGER parts_ins BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.ref IS NULL) EXECUTE PROCEDURE set_updated_at();
ALTER TABLE orders ENABLE ALWAYS TRIGGER parts_ins;

-- case: good
ALTER ROLE app_rw IN DATABASE app SET search_path TO app, public;
ALTER ROLE app_rw RESET work_mem;

-- case: good
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM anon;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- case: non-idempotent, in a transaction
-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- case: non-idempotent
create table public.flags (name text primary key);

-- case: non-idempotent
CREATE UNIQUE INDEX CONCURRENTLY ON users (lower(email));

-- case: non-idempotent
ALTER TABLE public.users ADD nickname text;

-- case: non-idempotent
INSERT INTO notes (body) SELECT body FROM comments;

-- case: non-idempotent
UPDATE products SET stock = stock - 1 WHERE id = 3;

-- case: non-idempotent
UPDATE users SET settings = settings || jsonb_build_object('n', (settings ->> 'n')::int + 1) WHERE id < 10;

-- case: non-idempotent
DO $$ BEGIN
  INSERT INTO audit_log (action) VALUES ('ran');
END $$;

-- case: non-idempotent
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'app_rw') THEN
    CREATE POLICY p_new ON projects TO app_rw USING (true);
  END IF;
END $$;

-- case: non-idempotent
CREATE SUBSCRIPTION s CONNECTION 'host=p' PUBLICATION c WITH (connect = false, slot_name = NONE);

-- case: non-idempotent
ALTER TABLE orders INHERIT base_orders;

-- case: non-idempotent
CREATE TEXT SEARCH CONFIGURATION my_english (COPY = english);

-- case: non-idempotent
ALTER TABLE tree0 ADD CONSTRAINT tree0_pk PRIMARY KEY USING INDEX tree0_idx;

-- case: non-idempotent
SELECT nextval('orders_id_seq');
INSERT INTO job_results VALUES (1);

-- case: non-idempotent
ALTER PUBLICATION supabase_realtime DROP TABLE rooms;

-- case: destructive
ALTER TABLE ONLY public.users DROP "ssn";

-- case: destructive
DROP TABLE IF EXISTS public.scratch RESTRICT;

-- case: destructive
DELETE FROM carts USING carts_archive;

-- case: destructive
UPDATE products SET visible = (stock > 0);

-- case: destructive
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT 1 LOOP DELETE FROM carts; END LOOP;
END $$;

-- case: destructive
DELETE FROM users WHERE id IS NOT NULL;

-- case: destructive
DROP INDEX CONCURRENTLY IF EXISTS i0;
DROP DOMAIN IF EXISTS email_address CASCADE;

-- case: destructive
DROP PUBLICATION IF EXISTS supabase_realtime;

-- case: destructive
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_pkey CASCADE;

-- case: lock
CREATE INDEX IF NOT EXISTS users_lower ON users (lower(username));

-- case: lock
ALTER TABLE orders ADD COLUMN IF NOT EXISTS token text DEFAULT encode(gen_random_bytes(8), 'hex');

-- case: lock
ALTER TABLE orders ALTER COLUMN user_id SET DATA TYPE text;

-- case: lock
ALTER TABLE users ADD COLUMN IF NOT EXISTS slug citext UNIQUE;

-- case: lock
REINDEX SCHEMA public;

-- case: lock
DO $$ BEGIN ALTER TABLE users ADD CONSTRAINT users_ck CHECK (length(email) > 3); EXCEPTION WHEN duplicate_object THEN END $$;

-- case: lock, in a transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS kind2 text;
UPDATE users SET kind2 = 'x';

-- case: lock
REFRESH MATERIALIZED VIEW mv_stats WITH DATA;

-- case: lock
ALTER TABLE orders ALTER COLUMN total_cents TYPE numeric(20,0);

-- case: lock
DO $$ BEGIN EXECUTE 'ALTER TABLE users ALTER COLUMN email SET NOT NULL'; END $$;

-- case: lock
ALTER TABLE customers DROP CONSTRAINT IF EXISTS customers_first_nn;
ALTER TABLE customers ADD CONSTRAINT customers_first_nn CHECK (first_name IS NOT NULL) NOT VALID;
-- next file
ALTER TABLE customers VALIDATE CONSTRAINT customers_first_nn;
-- next file
-- the CHECK is gone before SET NOT NULL looks for it
ALTER TABLE customers ALTER COLUMN first_name SET NOT NULL, DROP CONSTRAINT IF EXISTS customers_first_nn;

-- case: breaking
ALTER TABLE public.products RENAME sku TO item_code;

-- case: breaking
ALTER VIEW IF EXISTS v_orders_old RENAME TO v_orders_older;

-- case: breaking
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT, ALTER COLUMN currency SET DEFAULT 'EUR';

-- case: may-fail
ALTER TABLE orders ADD COLUMN IF NOT EXISTS "warehouseId" integer NOT NULL;

-- case: may-fail
ALTER TABLE users ALTER COLUMN username TYPE varchar(10);

-- case: may-fail
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_mail_uq ON users (mail);
DO $$ BEGIN ALTER TABLE users ADD CONSTRAINT bio_short CHECK (length(bio) < 10); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- case: transaction, in a transaction
SET lock_timeout = '2s';
DROP INDEX CONCURRENTLY IF EXISTS idx_x;

-- case: transaction
BEGIN;
VACUUM orders;
COMMIT;

-- case: transaction
SAVEPOINT a;
UPDATE users SET name = 'b' WHERE id = 1;

-- case: transaction
BEGIN;
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'gone';
INSERT INTO tax_rates (region) SELECT 'x' WHERE 'gone'::order_status IS NULL;
COMMIT;

-- case: security
ALTER TABLE public.orders NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

-- case: security
CREATE OR REPLACE FUNCTION sudo(q text) RETURNS void AS $$ BEGIN EXECUTE q; END $$ LANGUAGE plpgsql VOLATILE SECURITY DEFINER;

-- case: security
GRANT ALL ON SCHEMA public TO anon;

-- case: security
ALTER ROLE app_rw WITH LOGIN PASSWORD 'abc123' VALID UNTIL 'infinity';

-- case: security
GRANT INSERT ON orders TO PUBLIC;

-- Held out, a third time, after the rules were mended: longer files.

-- case: good
-- 0042_projects.sql
SET lock_timeout = '3s';

CREATE TABLE IF NOT EXISTS project (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id      bigint NOT NULL,
    name        text NOT NULL,
    archived_at timestamptz
);

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'project_org_fk' AND conrelid = 'project'::regclass) THEN
        ALTER TABLE project ADD CONSTRAINT project_org_fk FOREIGN KEY (org_id) REFERENCES org (id);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'project_name_len') THEN
        ALTER TABLE project ADD CONSTRAINT project_name_len CHECK (char_length(name) <= 120);
    END IF;
END $$;

CREATE INDEX IF NOT EXISTS project_org_idx ON project (org_id) WHERE archived_at IS NULL;
COMMENT ON TABLE project IS 'What an organisation works on; "archived" ones stay readable';
GRANT SELECT ON project TO app_readonly;

-- case: good
CREATE EXTENSION IF NOT EXISTS pgcrypto;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'ticket_state' AND n.nspname = 'support') THEN
    CREATE TYPE support.ticket_state AS ENUM ('open', 'waiting', 'closed');
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS support.ticket (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  state support.ticket_state NOT NULL DEFAULT 'open',
  subject text NOT NULL,
  body text,
  search tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(body, ''))) STORED
);
CREATE INDEX IF NOT EXISTS ticket_search_idx ON support.ticket USING gin (search);
CREATE INDEX IF NOT EXISTS ticket_state_idx ON support.ticket (state);
ALTER TABLE support.ticket OWNER TO app_owner;

-- case: good, in a transaction
create table if not exists public.organizations2 (id uuid primary key default gen_random_uuid(), name text not null, created_at timestamptz not null default now());
create table if not exists public.org_members (
  org_id uuid not null references public.organizations2 (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role text not null default 'member' check (role in ('owner', 'admin', 'member')),
  primary key (org_id, user_id)
);
alter table public.organizations2 enable row level security;
alter table public.org_members enable row level security;
create or replace function public.is_org_member(target uuid) returns boolean
language sql security definer set search_path = '' stable as $$
  select exists (select 1 from public.org_members m where m.org_id = target and m.user_id = (select auth.uid()));
$$;
drop policy if exists "members read orgs" on public.organizations2;
create policy "members read orgs" on public.organizations2 for select to authenticated using (public.is_org_member(id));
drop policy if exists "members read members" on public.org_members;
create policy "members read members" on public.org_members for select to authenticated using (public.is_org_member(org_id));
drop trigger if exists org_touch on public.organizations2;
create trigger org_touch before update on public.organizations2 for each row execute function extensions.moddatetime (created_at);

-- case: good
BEGIN;
CREATE TABLE IF NOT EXISTS feature (name text PRIMARY KEY, rollout int NOT NULL DEFAULT 0 CHECK (rollout BETWEEN 0 AND 100));
INSERT INTO feature (name, rollout) VALUES ('search', 100), ('export', 10) ON CONFLICT (name) DO UPDATE SET rollout = EXCLUDED.rollout;
DELETE FROM feature WHERE name = 'old_search';
COMMIT;

-- case: good
SELECT 'prepare' AS step;
DO $$
DECLARE
    missing boolean;
BEGIN
    SELECT NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'orders' AND column_name = 'channel') INTO missing;
    IF missing THEN
        ALTER TABLE orders ADD COLUMN channel text;
    END IF;
END $$;
SELECT 'done' AS step;

-- case: good
CREATE TABLE IF NOT EXISTS metric (id bigserial PRIMARY KEY, at timestamptz NOT NULL, v float8);
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'metric_at_idx' AND n.nspname = 'public') THEN
        CREATE INDEX metric_at_idx ON metric (at);
    END IF;
END $$;

-- case: good
ALTER TABLE orders ADD COLUMN IF NOT EXISTS region text;
DO $$
BEGIN
  CREATE TRIGGER orders_region BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();
EXCEPTION
  WHEN duplicate_object THEN NULL;
END $$;
DO $$
BEGIN
  CREATE POLICY orders_region_policy ON orders FOR SELECT USING (region IS NOT NULL);
EXCEPTION
  WHEN duplicate_object THEN NULL;
END $$;

-- case: good
CREATE TABLE IF NOT EXISTS app.setting (key text PRIMARY KEY, value jsonb);
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM app.setting WHERE key = 'theme') THEN
    INSERT INTO app.setting (key, value) VALUES ('theme', '"dark"');
  END IF;
END $$;

-- case: good
SELECT 1;
DO $x$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'orders_state_old') AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'orders_state_new') THEN
    ALTER TABLE orders RENAME CONSTRAINT orders_state_old TO orders_state_new;
  END IF;
END $x$;

-- case: good
-- two steps in one file, each in its transaction
BEGIN;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'oi_qty_pos') THEN
    ALTER TABLE order_items ADD CONSTRAINT oi_qty_pos CHECK (quantity > 0) NOT VALID;
  END IF;
END $$;
COMMIT;
BEGIN;
ALTER TABLE order_items VALIDATE CONSTRAINT oi_qty_pos;
COMMIT;

-- case: good
\set QUIET on
BEGIN;
SET LOCAL search_path TO :"app_schema", public;
CREATE TABLE IF NOT EXISTS psql_made (id int PRIMARY KEY);
COMMIT;
\unset QUIET

-- case: good
CREATE TEMP TABLE zips (zip text, city text);
\copy zips FROM 'zips.csv' WITH (FORMAT csv, HEADER true)
INSERT INTO zip_codes2 (zip, city) SELECT zip, city FROM zips ON CONFLICT (zip) DO UPDATE SET city = EXCLUDED.city;

-- case: good
\copy (SELECT id, email FROM users ORDER BY id) TO 'users.csv' CSV HEADER

-- case: good
DROP VIEW IF EXISTS public.v_customer_orders;
ALTER TABLE customers ADD COLUMN IF NOT EXISTS vat_id varchar(20);
CREATE VIEW public.v_customer_orders AS SELECT c.id, c.vat_id FROM customers c;
GRANT SELECT ON public.v_customer_orders TO app_readonly;

-- case: good
CREATE TABLE IF NOT EXISTS price_list (id int PRIMARY KEY, valid daterange NOT NULL, amount numeric(10,2) NOT NULL);
CREATE INDEX IF NOT EXISTS price_list_valid ON price_list USING gist (valid);
ALTER TABLE price_list ALTER COLUMN amount TYPE numeric(12,2);
ALTER TABLE price_list ALTER COLUMN amount DROP NOT NULL;

-- case: good
CREATE TABLE IF NOT EXISTS audit.entry (
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  what jsonb NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS audit.entry_default PARTITION OF audit.entry DEFAULT;
DO $$
DECLARE y int;
BEGIN
  FOR y IN 2024..2026 LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS audit.entry_%s PARTITION OF audit.entry FOR VALUES FROM (%L) TO (%L)', y, y || '-01-01', (y + 1) || '-01-01');
  END LOOP;
END $$;

-- case: good
UPDATE orders SET status = 'paid' WHERE id IN (SELECT order_id FROM payments WHERE amount > 0) AND status = 'new';
UPDATE orders SET notes = trim(notes) WHERE notes IS NOT NULL AND notes <> trim(notes);

-- case: good
DO $$
DECLARE
  batch CONSTANT int := 2000;
  done int;
BEGIN
  LOOP
    DELETE FROM audit_log WHERE ctid IN (SELECT ctid FROM audit_log WHERE at < '2020-01-01' LIMIT batch);
    GET DIAGNOSTICS done = ROW_COUNT;
    EXIT WHEN done < batch;
    COMMIT;
  END LOOP;
END $$;

-- case: good
CREATE OR REPLACE FUNCTION app.next_no(kind text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $fn$
DECLARE n bigint;
BEGIN
  INSERT INTO app.counter (kind, n) VALUES (kind, 1)
  ON CONFLICT ON CONSTRAINT counter_pkey DO UPDATE SET n = app.counter.n + 1
  RETURNING app.counter.n INTO n;
  RETURN n;
END $fn$;
REVOKE ALL ON FUNCTION app.next_no(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.next_no(text) TO app_rw;

-- case: good
CREATE TABLE IF NOT EXISTS a_new (LIKE accounts INCLUDING ALL);
INSERT INTO a_new SELECT * FROM accounts ON CONFLICT (id) DO NOTHING;

-- case: good
ALTER TABLE users ADD COLUMN IF NOT EXISTS seen_at timestamptz;
-- next file
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_seen_at_idx ON users (seen_at) WHERE seen_at IS NOT NULL;
-- next file
CREATE OR REPLACE VIEW recent_users AS SELECT id FROM users WHERE seen_at > now() - interval '7 days';

-- case: good
DO $$ BEGIN
  IF to_regprocedure('public.old_sum(integer)') IS NULL THEN
    CREATE FUNCTION public.old_sum(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
  END IF;
END $$;

-- case: good
SELECT pg_sleep(0);
DO $$ BEGIN
  IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'public.orders'::regclass) THEN
    ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
  END IF;
END $$;

-- case: good
CREATE TABLE IF NOT EXISTS invoice_lines2 (invoice_id int, pos int, PRIMARY KEY (invoice_id, pos));
DO $do$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints WHERE table_name = 'invoice_lines2' AND constraint_type = 'FOREIGN KEY') THEN
    ALTER TABLE invoice_lines2 ADD CONSTRAINT il2_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE;
  END IF;
END $do$;

-- case: good
CREATE TABLE IF NOT EXISTS job_queue (id bigserial PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now(), state text NOT NULL DEFAULT 'new');
ALTER TABLE job_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX IF NOT EXISTS job_queue_ready ON job_queue (run_at) WHERE state = 'new';
CREATE OR REPLACE FUNCTION job_queue_notify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('jobs', ''); RETURN NULL; END $$;
DROP TRIGGER IF EXISTS job_queue_notify ON job_queue;
CREATE TRIGGER job_queue_notify AFTER INSERT ON job_queue FOR EACH STATEMENT EXECUTE FUNCTION job_queue_notify();

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS "Subscription" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'trialing',

    CONSTRAINT "Subscription_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX IF NOT EXISTS "Subscription_userId_key" ON "Subscription"("userId");
DO $$ BEGIN
    ALTER TABLE "Subscription" ADD CONSTRAINT "Subscription_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
EXCEPTION
    WHEN duplicate_object THEN NULL;
END $$;
ALTER TABLE "User" ADD COLUMN IF NOT EXISTS "stripeId" TEXT;

-- case: good
ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight_g int;
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_weight_check;
ALTER TABLE orders ADD CONSTRAINT orders_weight_check CHECK (weight_g > 0) NOT VALID;
-- next file
ALTER TABLE orders VALIDATE CONSTRAINT orders_weight_check;

-- case: good
SET statement_timeout = '1h';
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_notes_trgm ON orders USING gin (notes gin_trgm_ops);
ANALYZE orders;
RESET statement_timeout;

-- case: good
CREATE OR REPLACE VIEW public.legacy_clients AS SELECT id, full_name FROM customers;
COMMENT ON VIEW public.legacy_clients IS 'old name, for reports';

-- case: good
SELECT set_config('app.migration', '42', false);
UPDATE settings SET value = 'eu-1' WHERE key = 'region' AND value IS DISTINCT FROM 'eu-1';

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS z1 (a int);
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'something_else') THEN
    ALTER TABLE z1 ADD CONSTRAINT z1_positive CHECK (a > 0);
  END IF;
END $$;

-- case: non-idempotent
SELECT 1;
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'orders') THEN
    ALTER TABLE orders ADD COLUMN extra text;
  END IF;
END $$;

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS z2 (a int);
DO $$ BEGIN
  BEGIN
    CREATE TYPE zt AS ENUM ('a');
  EXCEPTION WHEN undefined_object THEN NULL;
  END;
END $$;

-- case: non-idempotent
\copy users (email) FROM '/tmp/users.csv' WITH CSV

-- case: non-idempotent
\copy public.products FROM pstdin

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t1 (id serial PRIMARY KEY, n text);
CREATE VIEW t1_v AS SELECT * FROM t1;

-- case: non-idempotent
SELECT 1;
INSERT INTO users (email) SELECT 'x@example.org' WHERE EXISTS (SELECT 1 FROM roles WHERE name = 'admin');

-- case: non-idempotent
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'r1') THEN
    CREATE ROLE r1;
  END IF;
END $$;
CREATE ROLE r2;

-- case: destructive
ALTER TYPE pair DROP ATTRIBUTE b;

-- case: destructive
SELECT 1;
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'old_orders') THEN
    DROP TABLE old_orders;
  END IF;
END $$;

-- case: destructive
CREATE TABLE IF NOT EXISTS orders_new (LIKE orders);
INSERT INTO orders_new SELECT * FROM orders WHERE status <> 'void' ON CONFLICT DO NOTHING;
DROP TABLE IF EXISTS orders;

-- case: destructive
BEGIN;
DELETE FROM order_items;
ROLLBACK;
DELETE FROM orders;

-- case: lock
SELECT 1;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'orders_total_idx') THEN
    CREATE INDEX orders_total_idx ON orders (total_cents);
  END IF;
END $$;

-- case: lock
ALTER TABLE orders ALTER COLUMN currency SET NOT NULL, ALTER COLUMN status SET DEFAULT 'new';

-- case: lock
SELECT 1;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'orders_u_fk') THEN
    ALTER TABLE orders ADD CONSTRAINT orders_u_fk FOREIGN KEY (user_id) REFERENCES users (id);
  END IF;
END $$;

-- case: lock
ALTER INDEX p_idx ATTACH PARTITION p_1_idx;
DROP INDEX IF EXISTS p_old_idx;

-- case: breaking
SELECT 1;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'display_name') THEN
    ALTER TABLE users RENAME COLUMN name TO display_name;
  END IF;
END $$;

-- case: may-fail
SELECT 1;
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'tenant') THEN
    ALTER TABLE users ADD COLUMN tenant int NOT NULL;
  END IF;
END $$;

-- case: transaction, in a transaction
CREATE TABLE IF NOT EXISTS t9 (a int);
CREATE INDEX CONCURRENTLY IF NOT EXISTS t9_a ON t9 (a);

-- case: transaction
BEGIN;
CREATE TABLE IF NOT EXISTS t10 (a int);
INSERT INTO roles (name) VALUES ('z') ON CONFLICT DO NOTHING;

-- case: security
CREATE TABLE IF NOT EXISTS t11 (a int);
CREATE OR REPLACE FUNCTION t11_all() RETURNS SETOF t11 LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM t11';

-- case: security
SELECT 1;
DO $$ BEGIN
  EXECUTE 'ALTER ROLE app_rw WITH PASSWORD ''geheim''';
END $$;
