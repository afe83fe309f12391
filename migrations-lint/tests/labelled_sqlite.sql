-- Labelled migrations for SQLite: what each must be reported as (by class), or that nothing may be said of it.
-- The form is that of labelled.sql.

-- case: destructive
DROP TABLE users;

-- case: non-idempotent
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);

-- case: non-idempotent
ALTER TABLE users ADD COLUMN email TEXT;

-- case: non-idempotent
CREATE INDEX users_name ON users (name);

-- case: non-idempotent
CREATE TRIGGER tr AFTER INSERT ON users BEGIN UPDATE stats SET n = n + 1; END;

-- case: may-fail
ALTER TABLE users ADD COLUMN a INT NOT NULL;

-- case: may-fail
ALTER TABLE users ADD COLUMN a TEXT DEFAULT CURRENT_TIMESTAMP;

-- case: may-fail
ALTER TABLE users ADD COLUMN a TEXT UNIQUE;

-- case: transaction
ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0);

-- case: transaction
ALTER TABLE users ALTER COLUMN a SET NOT NULL;

-- case: transaction, in a transaction
PRAGMA foreign_keys = OFF;
DROP TABLE IF EXISTS users;

-- case: breaking
ALTER TABLE users RENAME COLUMN a TO b;

-- case: good
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL COLLATE NOCASE, UNIQUE (name) ON CONFLICT IGNORE) STRICT, WITHOUT ROWID;

-- case: good
CREATE INDEX IF NOT EXISTS users_name ON users (name) WHERE name IS NOT NULL;

-- case: good
PRAGMA foreign_keys = ON;
PRAGMA journal_mode = WAL;

-- case: good
INSERT OR IGNORE INTO users (id, name) VALUES (1, 'a');

-- case: good
INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- case: good
CREATE TRIGGER IF NOT EXISTS tr AFTER INSERT ON users BEGIN UPDATE stats SET n = n + 1; DELETE FROM work; END;

-- case: good
CREATE VIRTUAL TABLE IF NOT EXISTS docs USING fts5(title, body);

-- case: good
CREATE TABLE new_users (id INTEGER PRIMARY KEY);
DROP TABLE new_users;

-- case: destructive
DROP TABLE IF EXISTS users;

-- case: destructive
ALTER TABLE users DROP COLUMN email;

-- case: destructive
DELETE FROM users;

-- case: destructive
DELETE FROM users WHERE 1;

-- case: destructive
UPDATE users SET active = 0;

-- case: destructive
UPDATE OR IGNORE users SET name = 'x' WHERE 1 = 1;

-- case: destructive
INSERT OR REPLACE INTO settings (name, value) VALUES ('theme', 'dark');

-- case: destructive
REPLACE INTO settings (name, value) VALUES ('theme', 'dark');

-- case: destructive
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT, note TEXT);
-- next file
INSERT OR REPLACE INTO settings (name, value) SELECT name, 'x' FROM presets;

-- case: destructive
DROP VIEW IF EXISTS active_users;

-- case: destructive
DROP TRIGGER IF EXISTS users_audit;

-- case: destructive
CREATE TABLE IF NOT EXISTS new_users (id INTEGER PRIMARY KEY, email TEXT);
INSERT OR IGNORE INTO new_users (id, email) SELECT id, email FROM users;
DROP TABLE IF EXISTS users;
ALTER TABLE new_users RENAME TO users;

-- case: destructive
DROP TABLE IF EXISTS "main"."users";

-- case: destructive
DROP TABLE IF EXISTS [users];

-- case: non-idempotent
CREATE TABLE [users] (id INTEGER PRIMARY KEY);

-- case: non-idempotent
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT) STRICT;

-- case: non-idempotent
CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID;

-- case: non-idempotent
CREATE VIRTUAL TABLE docs USING fts5(title, body);

-- case: non-idempotent
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE);

-- case: non-idempotent
CREATE INDEX users_lower ON users (lower(email)) WHERE deleted = 0;

-- case: non-idempotent
CREATE VIEW v AS SELECT id FROM users;

-- case: non-idempotent
CREATE TABLE copy AS SELECT * FROM users;

-- case: non-idempotent
DROP TABLE users;

-- case: non-idempotent
DROP INDEX users_email;

-- case: non-idempotent
DROP TRIGGER users_audit;

-- case: non-idempotent
ALTER TABLE users RENAME TO people;

-- case: non-idempotent
ALTER TABLE users RENAME name TO full_name;

-- case: non-idempotent
ALTER TABLE users ADD email TEXT COLLATE NOCASE DEFAULT '';

-- case: non-idempotent
ALTER TABLE users DROP COLUMN email;

-- case: non-idempotent
INSERT INTO users (name) VALUES ('a'), ('b');

-- case: non-idempotent
INSERT INTO archive SELECT * FROM users;

-- case: non-idempotent
UPDATE counters SET n = n + 1 WHERE id = 1;

-- case: non-idempotent
UPDATE users SET name = 'x' || name WHERE id > 0;

-- case: non-idempotent
INSERT INTO counters (name, n) VALUES ('a', 1) ON CONFLICT (name) DO UPDATE SET n = n + 1;

-- case: non-idempotent
INSERT OR ABORT INTO users (id) VALUES (1);

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY);
ALTER TABLE users ADD COLUMN a INT;

-- case: may-fail
ALTER TABLE users ADD COLUMN created TEXT NOT NULL DEFAULT (datetime('now'));

-- case: may-fail
ALTER TABLE users ADD COLUMN token BLOB DEFAULT (randomblob(16));

-- case: may-fail
ALTER TABLE users ADD COLUMN id2 INTEGER PRIMARY KEY;

-- case: may-fail
ALTER TABLE users ADD COLUMN full_name TEXT GENERATED ALWAYS AS (first || last) STORED;

-- case: may-fail
ALTER TABLE users ADD COLUMN team_id INTEGER NOT NULL DEFAULT 0 REFERENCES teams (id);

-- case: may-fail
ALTER TABLE users ADD COLUMN at INT DEFAULT (1 + 1);

-- case: may-fail
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);

-- case: may-fail
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
-- next file
ALTER TABLE users DROP COLUMN email;

-- case: may-fail
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
CREATE INDEX users_email ON users (email);
-- next file
ALTER TABLE users DROP COLUMN email;

-- case: may-fail
CREATE TABLE teams (id INTEGER PRIMARY KEY);
CREATE TABLE users (id INTEGER PRIMARY KEY, team_id INT, FOREIGN KEY (team_id) REFERENCES teams (id));
-- next file
ALTER TABLE users DROP COLUMN team_id;

-- case: may-fail
CREATE TABLE users (id INTEGER, email TEXT, PRIMARY KEY (id, email));
-- next file
ALTER TABLE users DROP COLUMN email;

-- case: transaction
ALTER TABLE users DROP CONSTRAINT c;

-- case: transaction
ALTER TABLE users ADD COLUMN a INT, ADD COLUMN b INT;

-- case: transaction
ALTER TABLE IF EXISTS users ADD COLUMN a INT;

-- case: transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS a INT;

-- case: transaction
ALTER TABLE users DROP COLUMN IF EXISTS a;

-- case: transaction
ALTER TABLE users ALTER COLUMN a TYPE TEXT;

-- case: transaction
ALTER TABLE users ADD FOREIGN KEY (team_id) REFERENCES teams (id);

-- case: transaction
BEGIN;
UPDATE users SET a = 1 WHERE id = 1;

-- case: transaction
BEGIN;
BEGIN IMMEDIATE;
COMMIT;

-- case: transaction, in a transaction
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS t (a INT);
COMMIT;

-- case: transaction
COMMIT;

-- case: transaction
END TRANSACTION;

-- case: transaction, in a transaction
VACUUM;

-- case: transaction, in a transaction
PRAGMA journal_mode=WAL;

-- case: transaction, in a transaction
PRAGMA main.synchronous = NORMAL;

-- case: transaction
CREATE TABLE users (id INTEGER PRIMARY KEY);
CREATE TABLE posts (user_id INT REFERENCES users (id) ON DELETE CASCADE);
-- next file
BEGIN;
PRAGMA foreign_keys=0;
CREATE TABLE new_users (id INTEGER PRIMARY KEY, a INT);
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
COMMIT;

-- case: breaking
ALTER TABLE users RENAME TO people;

-- case: breaking
CREATE TABLE users (id INTEGER PRIMARY KEY);
CREATE TABLE posts (user_id INT REFERENCES users (id));
-- next file
PRAGMA foreign_keys=OFF;
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users (id INTEGER PRIMARY KEY, a INT);
INSERT INTO users (id) SELECT id FROM users_old;
DROP TABLE users_old;

-- case: good
CREATE TABLE IF NOT EXISTS "users" ("id" INTEGER PRIMARY KEY, "at" TEXT DEFAULT CURRENT_TIMESTAMP, "n" INT DEFAULT (1 + 1), CHECK ("n" > 0));

-- case: good
CREATE TABLE work (a INT);
ALTER TABLE work ADD COLUMN b TEXT DEFAULT CURRENT_TIMESTAMP;
DROP TABLE work;

-- case: good
CREATE TABLE work (id INTEGER PRIMARY KEY, a INT);
CREATE INDEX work_a ON work (a);
DROP INDEX work_a;
ALTER TABLE work DROP COLUMN a;
DROP TABLE work;

-- case: good
DROP INDEX IF EXISTS users_email;
CREATE INDEX users_email ON users (email);

-- case: good
CREATE VIEW IF NOT EXISTS v AS SELECT id FROM users;

-- case: good
CREATE TEMP TABLE work AS SELECT * FROM users;
DROP TABLE temp.work;

-- case: good
UPDATE users SET state = 'new' WHERE state IS NULL;

-- case: good
DELETE FROM sessions WHERE expires < datetime('now');

-- case: good
INSERT INTO settings (name, value) SELECT 'theme', 'dark' WHERE NOT EXISTS (SELECT 1 FROM settings WHERE name = 'theme');

-- case: good
INSERT OR IGNORE INTO roles (id, name) VALUES (1, 'admin'), (2, 'guest');

-- case: good
INSERT INTO roles (id, name) VALUES (1, 'admin') ON CONFLICT DO NOTHING;

-- case: good
VACUUM;

-- case: good
REINDEX;
ANALYZE;

-- case: good
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE IF NOT EXISTS t (a INT);
COMMIT;
PRAGMA foreign_keys = ON;

-- case: good, in a transaction
PRAGMA foreign_keys = OFF;
CREATE TABLE IF NOT EXISTS t (a INT);
PRAGMA foreign_keys = ON;

-- case: good, in a transaction
PRAGMA user_version = 7;

-- case: good, in a transaction
PRAGMA foreign_key_check;

-- case: good
PRAGMA table_info(users);

-- case: good
CREATE TRIGGER IF NOT EXISTS users_touch AFTER UPDATE OF name ON users FOR EACH ROW WHEN NEW.name <> OLD.name
BEGIN
  UPDATE users SET at = CASE WHEN NEW.id > 0 THEN datetime('now') ELSE at END WHERE id = NEW.id;
  DELETE FROM cache;
END;

-- case: good
SAVEPOINT a;
CREATE TABLE IF NOT EXISTS t (a INT);
RELEASE a;

-- case: good
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS t (a INT);
END;

-- case: good
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
INSERT OR REPLACE INTO settings (name, value) VALUES ('a', 'b');
DROP TABLE settings;

-- case: good
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
-- next file
INSERT OR REPLACE INTO settings (name, value) VALUES ('a', 'b');

-- case: good
WITH old AS (SELECT id FROM users WHERE seen < '2020') DELETE FROM users WHERE id IN (SELECT id FROM old);

-- case: good
ATTACH DATABASE 'other.db' AS other;
DETACH other;

-- Findings on real migrations that were wrong, and what must not be lost with them.

-- case: good
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT);
-- next file
PRAGMA foreign_keys = OFF;
CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT NOT NULL DEFAULT '');
INSERT INTO new_users (id, email) SELECT id, coalesce(email, '') FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
PRAGMA foreign_keys = ON;

-- case: destructive
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT);
-- next file
CREATE TABLE new_users (id INTEGER PRIMARY KEY);
INSERT INTO new_users (id) SELECT id FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;

-- case: destructive
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT);
-- next file
CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT);
INSERT INTO new_users SELECT * FROM users WHERE email IS NOT NULL;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
