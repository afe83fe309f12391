-- Labelled migrations for MySQL: what each must be reported as (by class), or that nothing may be said of it.
-- The form is that of labelled.sql; `mariadb` in a case's head names another engine than MySQL 8.0.

-- case: destructive
DROP TABLE IF EXISTS `users`;

-- case: destructive
DROP TABLE IF EXISTS users, orders;

-- case: destructive
DROP DATABASE IF EXISTS app;

-- case: destructive
DROP SCHEMA IF EXISTS app;

-- case: destructive
ALTER TABLE `users` DROP COLUMN `email`;

-- case: destructive
ALTER TABLE users DROP email, DROP COLUMN phone;

-- case: destructive
ALTER TABLE users ADD COLUMN a INT, DROP COLUMN b;

-- case: destructive
TRUNCATE TABLE users;

-- case: destructive
TRUNCATE users;

-- case: destructive
DELETE FROM users;

-- case: destructive
DELETE FROM `users` WHERE 1;

-- case: destructive
DELETE FROM users WHERE 1 = 1;

-- case: destructive
DELETE u FROM users u;

-- case: destructive
UPDATE users SET active = 0;

-- case: destructive
UPDATE `users` SET `status` = 'new' WHERE TRUE;

-- case: destructive
DROP VIEW IF EXISTS v;

-- case: destructive
DROP PROCEDURE IF EXISTS p;

-- case: destructive
DROP FUNCTION IF EXISTS f;

-- case: destructive
DROP TRIGGER IF EXISTS users_audit;

-- case: destructive
DROP EVENT IF EXISTS cleanup;

-- case: destructive
ALTER TABLE logs DROP PARTITION p2020;

-- case: destructive
ALTER TABLE logs DROP PARTITION p2020, p2021;

-- case: destructive
ALTER TABLE logs TRUNCATE PARTITION p2020;

-- case: destructive
ALTER TABLE logs DISCARD TABLESPACE;

-- case: destructive, mariadb
CREATE OR REPLACE TABLE users (id INT PRIMARY KEY);

-- case: destructive
REPLACE INTO settings (name, value) VALUES ('a', 'b');

-- case: destructive
CREATE TABLE settings (name VARCHAR(20) PRIMARY KEY, value TEXT, note TEXT);
-- next file
REPLACE INTO settings (name, value) VALUES ('a', 'b');

-- case: destructive
SET sql_mode = '';

-- case: destructive
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';

-- case: destructive
SET @@session.sql_mode = 'ALLOW_INVALID_DATES';

-- case: destructive
DROP USER IF EXISTS 'app'@'%';

-- case: destructive
/*!40000 DROP DATABASE IF EXISTS `app`*/;

-- case: destructive
# a comment of MySQL's own
DROP TABLE IF EXISTS users;

-- case: destructive
ALTER TABLE orders DROP FOREIGN KEY fk_orders_users;

-- case: destructive, mariadb
ALTER TABLE orders DROP CONSTRAINT IF EXISTS fk_orders_users;

-- case: destructive, mariadb
DROP SEQUENCE IF EXISTS s;

-- case: destructive
ALTER TABLE t ADD COLUMN a INT;
ALTER TABLE t DROP COLUMN b;

-- case: destructive
DELETE LOW_PRIORITY QUICK IGNORE FROM users;

-- case: non-idempotent
CREATE TABLE users (id INT PRIMARY KEY);

-- case: non-idempotent
CREATE TABLE `users` (`id` bigint unsigned NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- case: non-idempotent
CREATE TABLE users LIKE people;

-- case: non-idempotent
CREATE TABLE copy AS SELECT * FROM users;

-- case: non-idempotent
ALTER TABLE users ADD COLUMN email VARCHAR(255);

-- case: non-idempotent
ALTER TABLE users ADD email VARCHAR(255) AFTER name;

-- case: non-idempotent
ALTER TABLE users ADD COLUMN (email VARCHAR(255), phone VARCHAR(20));

-- case: non-idempotent
CREATE INDEX users_email ON users (email);

-- case: non-idempotent
CREATE UNIQUE INDEX users_email ON users (email);

-- case: non-idempotent
ALTER TABLE users ADD INDEX users_email (email);

-- case: non-idempotent
ALTER TABLE users ADD KEY users_email (email(10));

-- case: non-idempotent
ALTER TABLE users ADD UNIQUE users_email (email);

-- case: non-idempotent
ALTER TABLE users ADD UNIQUE KEY `users_email` (`email`) USING BTREE;

-- case: non-idempotent
ALTER TABLE users ADD INDEX (email);

-- case: non-idempotent
ALTER TABLE users ADD PRIMARY KEY (id);

-- case: non-idempotent
ALTER TABLE orders ADD CONSTRAINT fk_user FOREIGN KEY (user_id) REFERENCES users (id);

-- case: non-idempotent
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id);

-- case: non-idempotent
DROP TABLE users;

-- case: non-idempotent
DROP INDEX users_email ON users;

-- case: non-idempotent
ALTER TABLE users DROP INDEX users_email;

-- case: non-idempotent
ALTER TABLE users DROP KEY users_email;

-- case: non-idempotent
ALTER TABLE users DROP FOREIGN KEY fk;

-- case: non-idempotent
ALTER TABLE users DROP PRIMARY KEY;

-- case: non-idempotent
ALTER TABLE users DROP COLUMN email;

-- case: non-idempotent
RENAME TABLE users TO people;

-- case: non-idempotent
ALTER TABLE users RENAME TO people;

-- case: non-idempotent
ALTER TABLE users RENAME people;

-- case: non-idempotent
ALTER TABLE users CHANGE COLUMN mail email VARCHAR(255);

-- case: non-idempotent
ALTER TABLE users RENAME COLUMN mail TO email;

-- case: non-idempotent
ALTER TABLE users RENAME INDEX a TO b;

-- case: non-idempotent
INSERT INTO users (id, name) VALUES (1, 'a');

-- case: non-idempotent
INSERT users VALUES (1, 'a'), (2, 'b');

-- case: non-idempotent
INSERT INTO users SET id = 1, name = 'a';

-- case: non-idempotent
INSERT INTO archive SELECT * FROM users;

-- case: non-idempotent
INSERT INTO counters (name, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = n + 1;

-- case: non-idempotent
INSERT INTO counters (name, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = n + VALUES(n);

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20));
INSERT IGNORE INTO t (name) VALUES ('a');

-- case: non-idempotent
UPDATE users SET score = score * 2 WHERE id < 100;

-- case: non-idempotent
UPDATE users SET name = CONCAT('x', name) WHERE id > 0;

-- case: non-idempotent
LOAD DATA LOCAL INFILE '/tmp/users.csv' INTO TABLE users FIELDS TERMINATED BY ',';

-- case: non-idempotent
CREATE VIEW v AS SELECT 1 AS a;

-- case: non-idempotent
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW v AS SELECT id FROM users;

-- case: non-idempotent
DELIMITER $$
CREATE TRIGGER users_audit AFTER INSERT ON users FOR EACH ROW
BEGIN
  INSERT INTO audit VALUES (NEW.id);
END$$
DELIMITER ;

-- case: non-idempotent
DELIMITER //
CREATE PROCEDURE p(IN n INT)
BEGIN
  IF n > 1 THEN SELECT 1; ELSE SELECT 2; END IF;
END //
DELIMITER ;

-- case: non-idempotent
CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1;

-- case: non-idempotent
CREATE EVENT cleanup ON SCHEDULE EVERY 1 DAY DO DELETE FROM sessions WHERE expires < NOW();

-- case: non-idempotent
CREATE DATABASE app CHARACTER SET utf8mb4;

-- case: non-idempotent
CREATE USER 'app'@'%';

-- case: non-idempotent
DROP USER 'app'@'%';

-- case: non-idempotent, mariadb
CREATE SEQUENCE s START WITH 1;

-- case: non-idempotent
ALTER TABLE logs ADD PARTITION (PARTITION p2030 VALUES LESS THAN (2031));

-- case: non-idempotent
CREATE FULLTEXT INDEX ft ON posts (body);

-- case: non-idempotent
CREATE TABLE `a``b` (id INT);

-- case: non-idempotent
CREATE TABLE IF NOT EXISTS a (id INT);
ALTER TABLE a ADD COLUMN b INT;

-- case: non-idempotent
USE app;
CREATE TABLE users (id INT);

-- case: lock
ALTER TABLE users MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT;

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a INT);
-- next file
ALTER TABLE t MODIFY a BIGINT;

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a INT);
-- next file
ALTER TABLE t CHANGE a b BIGINT UNSIGNED;

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a INT);
-- next file
ALTER TABLE t MODIFY a INT UNSIGNED;

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(50)) DEFAULT CHARSET=utf8mb4;
-- next file
ALTER TABLE t MODIFY a VARCHAR(100);

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(200)) DEFAULT CHARSET=utf8mb4;
-- next file
ALTER TABLE t MODIFY a TEXT;

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a ENUM('x', 'y'));
-- next file
ALTER TABLE t MODIFY a ENUM('x', 'z', 'y');

-- case: lock
CREATE TABLE t (id INT PRIMARY KEY, a INT);
-- next file
ALTER TABLE t MODIFY a INT NOT NULL;

-- case: lock
ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- case: lock
CREATE TABLE t (a VARCHAR(20)) CHARSET=latin1;
-- next file
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;

-- case: lock
ALTER TABLE users ENGINE=InnoDB;

-- case: lock
ALTER TABLE users ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- case: lock
ALTER TABLE users ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;

-- case: lock
ALTER TABLE users FORCE;

-- case: lock
OPTIMIZE TABLE users;

-- case: lock
ALTER TABLE users DROP PRIMARY KEY;

-- case: lock
ALTER TABLE users DROP PRIMARY KEY, ADD PRIMARY KEY (id, tenant_id);

-- case: lock
ALTER TABLE users ADD PRIMARY KEY (id);

-- case: lock
ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id);

-- case: lock
ALTER TABLE users ADD CONSTRAINT positive CHECK (age > 0);

-- case: lock
ALTER TABLE users ADD COLUMN full_name VARCHAR(255) AS (CONCAT(first, ' ', last)) STORED;

-- case: lock
ALTER TABLE users ADD COLUMN k VARCHAR(36) NOT NULL DEFAULT (UUID());

-- case: lock
ALTER TABLE posts ADD FULLTEXT INDEX ft (body);

-- case: lock
ALTER TABLE places ADD SPATIAL INDEX sp (point);

-- case: lock
ALTER TABLE users ADD COLUMN email VARCHAR(255), ALGORITHM=COPY;

-- case: lock
ALTER TABLE users ADD INDEX a (a), LOCK=EXCLUSIVE;

-- case: lock
CREATE INDEX a ON users (a) LOCK=SHARED;

-- case: lock
ALTER TABLE users ORDER BY id;

-- case: lock
ALTER TABLE logs PARTITION BY HASH (id) PARTITIONS 4;

-- case: lock
ALTER TABLE logs REMOVE PARTITIONING;

-- case: lock
ALTER TABLE users ADD COLUMN n INT NOT NULL AUTO_INCREMENT UNIQUE;

-- case: lock
LOCK TABLES users WRITE;

-- case: lock
LOCK TABLES users WRITE, orders READ;
UNLOCK TABLES;

-- case: lock
ALTER TABLE users MODIFY name VARCHAR(50) CHARACTER SET utf8mb4;

-- case: lock
CREATE TABLE t (a INT, b DECIMAL(10,2));
-- next file
ALTER TABLE t MODIFY b DECIMAL(12,4);

-- case: lock
CREATE TABLE t (a INT, d DATE);
-- next file
ALTER TABLE t MODIFY d DATETIME;

-- case: breaking
RENAME TABLE users TO people;

-- case: breaking
ALTER TABLE users CHANGE COLUMN mail email VARCHAR(255);

-- case: breaking
ALTER TABLE users RENAME COLUMN mail TO email;

-- case: breaking
ALTER TABLE users ADD COLUMN email VARCHAR(255) NOT NULL;

-- case: breaking
ALTER TABLE users ALTER COLUMN email DROP DEFAULT;

-- case: breaking
CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY);
-- next file
ALTER TABLE t MODIFY id BIGINT NOT NULL;

-- case: breaking
CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20) NOT NULL DEFAULT 'x');
-- next file
ALTER TABLE t MODIFY a VARCHAR(30) NOT NULL;

-- case: breaking
CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
-- next file
ALTER TABLE t MODIFY at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- case: breaking
CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL COMMENT 'cents');
-- next file
ALTER TABLE t CHANGE a b INT NOT NULL;

-- case: may-fail
CREATE UNIQUE INDEX users_email ON users (email);

-- case: may-fail
ALTER TABLE users ADD UNIQUE KEY users_email (email);

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);

-- case: may-fail
ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id);

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT positive CHECK (age > 0);

-- case: may-fail
CREATE TABLE t (a VARCHAR(100));
-- next file
ALTER TABLE t MODIFY a VARCHAR(20);

-- case: may-fail
CREATE TABLE t (a BIGINT);
-- next file
ALTER TABLE t MODIFY a INT;

-- case: may-fail
CREATE TABLE t (a INT);
-- next file
ALTER TABLE t MODIFY a INT UNSIGNED;

-- case: may-fail
CREATE TABLE t (a ENUM('x', 'y'));
-- next file
ALTER TABLE t MODIFY a ENUM('x');

-- case: may-fail
CREATE TABLE t (a VARCHAR(20));
-- next file
ALTER TABLE t MODIFY a INT;

-- case: may-fail
CREATE TABLE t (a VARCHAR(20) NULL);
-- next file
ALTER TABLE t MODIFY a VARCHAR(20) NOT NULL;

-- case: may-fail
CREATE TABLE t (a DECIMAL(12, 2));
-- next file
ALTER TABLE t MODIFY a DECIMAL(8, 2);

-- case: may-fail
CREATE TABLE t (a LONGTEXT);
-- next file
ALTER TABLE t MODIFY a TEXT;

-- case: may-fail
ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0), ALGORITHM=INPLACE;

-- case: may-fail
ALTER TABLE users ADD INDEX a (a), ALGORITHM=INSTANT;

-- case: transaction
START TRANSACTION;
CREATE TABLE IF NOT EXISTS a (id INT);
COMMIT;

-- case: transaction
BEGIN;
UPDATE users SET a = 1 WHERE id = 1;
ALTER TABLE users COMMENT = 'x';
COMMIT;

-- case: transaction, in a transaction
CREATE TABLE a (id INT PRIMARY KEY);
CREATE TABLE b (id INT PRIMARY KEY);

-- case: transaction, in a transaction
ALTER TABLE users ADD COLUMN a INT;
UPDATE users SET a = 1 WHERE a IS NULL;

-- case: transaction
CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY) ENGINE=MyISAM;

-- case: transaction
ALTER TABLE a ENGINE=MEMORY;

-- case: transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS email VARCHAR(255);

-- case: transaction
ALTER TABLE users DROP COLUMN IF EXISTS email;

-- case: transaction
CREATE INDEX IF NOT EXISTS a ON users (a);

-- case: transaction
DROP INDEX IF EXISTS a ON users;

-- case: transaction
CREATE OR REPLACE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;

-- case: transaction, mariadb
CREATE TABLE IF NOT EXISTS t (a VARCHAR(20)) COLLATE=utf8mb4_0900_ai_ci;

-- case: transaction
BEGIN;
UPDATE users SET a = 1 WHERE id = 1;

-- case: may-fail
CREATE TBALE users (id INT);

-- case: may-fail
ALTER TABLE users ADD COLUM email VARCHAR(20) NOTT NULL;

-- case: may-fail
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY name VARCHAR(20));

-- case: may-fail
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, name VARCHAR(20);

-- case: may-fail
SELECT 'it's';

-- case: security
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'secret';

-- case: security
ALTER USER 'app'@'localhost' IDENTIFIED WITH mysql_native_password BY 'secret';

-- case: security
SET PASSWORD FOR 'app'@'%' = 'secret';

-- case: security
GRANT ALL PRIVILEGES ON app.* TO 'app'@'%';

-- case: security
GRANT SELECT ON app.* TO 'app'@'%' IDENTIFIED BY 'secret';

-- case: security
CREATE OR REPLACE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS SELECT 1 AS a;

-- case: security
SET GLOBAL event_scheduler = ON;

-- case: security
SET @@global.local_infile = 1;

-- case: security
DROP TRIGGER IF EXISTS a;
CREATE DEFINER='admin'@'%' TRIGGER a BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;

-- case: good
CREATE TABLE IF NOT EXISTS users (id INT PRIMARY KEY);

-- case: good
CREATE TABLE IF NOT EXISTS `users` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `uuid` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `name` varchar(191) COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '' COMMENT 'it''s; a name',
  `state` enum('a','b') NOT NULL DEFAULT 'a',
  `amount` decimal(10,2) unsigned zerofill DEFAULT NULL,
  `data` json DEFAULT NULL,
  `point` point NOT NULL SRID 4326,
  `n` int GENERATED ALWAYS AS (json_extract(`data`, '$.n')) VIRTUAL,
  `created_at` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `updated_at` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`id`) USING BTREE,
  UNIQUE KEY `users_uuid` (`uuid`),
  KEY `users_name` (`name`(20) DESC, `state`),
  FULLTEXT KEY `users_ft` (`name`) /*!50100 WITH PARSER `ngram` */,
  SPATIAL KEY `users_point` (`point`),
  CONSTRAINT `users_positive` CHECK (`amount` > 0)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC COMMENT='all users';

-- case: good
CREATE TEMPORARY TABLE work (id INT);

-- case: good
CREATE OR REPLACE VIEW v AS SELECT id FROM users;

-- case: good
CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW v AS SELECT id FROM users;

-- case: good
DROP PROCEDURE IF EXISTS p;
DELIMITER //
CREATE PROCEDURE p()
BEGIN
  DECLARE n INT DEFAULT 0;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET n = 1;
  WHILE n < 10 DO
    CASE n WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE;
    SET n = n + 1;
  END WHILE;
  DELETE FROM work;
END//
DELIMITER ;

-- case: good
DROP PROCEDURE IF EXISTS add_email;
DELIMITER $$
CREATE PROCEDURE add_email()
BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'email') THEN
    ALTER TABLE users ADD COLUMN email VARCHAR(255);
  END IF;
END$$
DELIMITER ;
CALL add_email();
DROP PROCEDURE add_email;

-- case: good
SET @ddl = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'email') = 0,
  'ALTER TABLE users ADD COLUMN email VARCHAR(255)', 'SELECT 1');
PREPARE statement FROM @ddl;
EXECUTE statement;
DEALLOCATE PREPARE statement;

-- case: good, mariadb
ALTER TABLE users ADD COLUMN IF NOT EXISTS email VARCHAR(255);

-- case: good, mariadb
ALTER TABLE users ADD COLUMN IF NOT EXISTS a INT NOT NULL DEFAULT 0 AFTER id, ADD INDEX IF NOT EXISTS users_a (a);

-- case: good, mariadb
CREATE INDEX IF NOT EXISTS users_a ON users (a);

-- case: good, mariadb
DROP INDEX IF EXISTS users_a ON users;

-- case: good, mariadb
CREATE OR REPLACE PROCEDURE p() SELECT 1;

-- case: good, mariadb
CREATE OR REPLACE TRIGGER a BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;

-- case: good, mariadb
CREATE SEQUENCE IF NOT EXISTS s;

-- case: good
DROP TRIGGER IF EXISTS users_audit;
DELIMITER $$
CREATE TRIGGER users_audit AFTER UPDATE ON users FOR EACH ROW
BEGIN
  INSERT INTO audit (id) VALUES (NEW.id);
  UPDATE stats SET n = n + 1;
END$$
DELIMITER ;

-- case: good
INSERT IGNORE INTO users (id, name) VALUES (1, 'a');

-- case: good
INSERT INTO users (id, name) VALUES (1, 'a') ON DUPLICATE KEY UPDATE name = VALUES(name);

-- case: good
INSERT INTO users (id, name) SELECT 1, 'a' FROM dual WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = 1);

-- case: good
INSERT INTO users (id, name) SELECT o.id, o.name FROM old o LEFT JOIN users u ON u.id = o.id WHERE u.id IS NULL;

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, name VARCHAR(20));
REPLACE INTO t (id, name) VALUES (1, 'a');

-- case: good
UPDATE users SET name = 'a' WHERE id = 1;

-- case: good
UPDATE users u JOIN orders o ON o.user_id = u.id SET u.has_orders = 1;

-- case: good
DELETE FROM users WHERE id = 1;

-- case: good
DELETE u FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL;

-- case: good
DELETE FROM sessions LIMIT 1000;

-- case: good
CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY, name VARCHAR(20));
ALTER TABLE a MODIFY name VARCHAR(40);

-- case: good
ALTER TABLE users COMMENT = 'all users';

-- case: good
ALTER TABLE users AUTO_INCREMENT = 1000;

-- case: good
ALTER TABLE users ALTER COLUMN state SET DEFAULT 'a';

-- case: good
ALTER TABLE users DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- case: good
ALTER TABLE users DISABLE KEYS;
ALTER TABLE users ENABLE KEYS;

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, a VARCHAR(20)) DEFAULT CHARSET=utf8mb4;
-- next file
ALTER TABLE t MODIFY a VARCHAR(60);

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, a VARCHAR(100)) DEFAULT CHARSET=utf8mb4;
-- next file
ALTER TABLE t MODIFY a VARCHAR(500);

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, a VARCHAR(100)) DEFAULT CHARSET=latin1;
-- next file
ALTER TABLE t MODIFY COLUMN a VARCHAR(255);

-- case: good, mariadb
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, a VARCHAR(20)) DEFAULT CHARSET=utf8mb4;
-- next file
ALTER TABLE t MODIFY a VARCHAR(500);

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, a ENUM('x', 'y') NOT NULL DEFAULT 'x');
-- next file
ALTER TABLE t MODIFY a ENUM('x', 'y', 'z') NOT NULL DEFAULT 'x';

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT(11) PRIMARY KEY, a INT(11) NULL);
-- next file
ALTER TABLE t MODIFY a INT NULL DEFAULT 0;

-- case: good
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, on_sale BOOL NOT NULL DEFAULT 0);
-- next file
ALTER TABLE t MODIFY on_sale TINYINT(1) NOT NULL DEFAULT 1;

-- case: good
CREATE TABLE IF NOT EXISTS p (id INT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, p_id INT, CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE);

-- case: good
SET NAMES utf8mb4;
SET FOREIGN_KEY_CHECKS = 0;
CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY);
SET FOREIGN_KEY_CHECKS = 1;

-- case: good
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
CREATE TABLE IF NOT EXISTS a (id INT);
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;

-- case: good
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
CREATE TABLE IF NOT EXISTS a (id INT);
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;

-- case: good
SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');

-- case: good
START TRANSACTION;
UPDATE users SET name = 'a' WHERE id = 1;
DELETE FROM users WHERE id = 2;
COMMIT;

-- case: good, in a transaction
UPDATE users SET name = 'a' WHERE id = 1;
DELETE FROM users WHERE id = 2;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS b (id INT PRIMARY KEY);

-- case: good
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED WITH caching_sha2_password;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO 'app'@'%';

-- case: good
CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- case: good
CREATE EVENT IF NOT EXISTS cleanup ON SCHEDULE EVERY 1 DAY DO DELETE FROM sessions WHERE expires < NOW();

-- case: good
CREATE TABLE old_users (id INT);
DROP TABLE old_users;

-- case: good
ANALYZE TABLE users;

-- case: good
SELECT a.b, `c`.`d`, 'x\'; DROP TABLE users; --' AS s, "double \" quoted" FROM a JOIN c USING (id) WHERE a.n--1 > 0; # the end

-- case: good
CREATE TABLE IF NOT EXISTS imports (id INT PRIMARY KEY,
  delimiter CHAR(1) NOT NULL DEFAULT ',',
  `key` VARCHAR(20), type VARCHAR(20), status INT, date DATE, value TEXT, comment TEXT, `order` INT);

-- case: good
CREATE TABLE IF NOT EXISTS m (id INT, at DATE NOT NULL) PARTITION BY RANGE (YEAR(at)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);

-- case: good
INSERT INTO t (id, a) VALUES (1, 'x') AS new ON DUPLICATE KEY UPDATE a = new.a;

-- case: good
SET SESSION group_concat_max_len = 1000000, @x := 1;

-- case: good
FLUSH PRIVILEGES;

-- case: good
SET FOREIGN_KEY_CHECKS = 0;
CREATE TABLE IF NOT EXISTS `a` (`id` int NOT NULL, `b_id` int DEFAULT NULL, PRIMARY KEY (`id`), KEY `b_id` (`b_id`), CONSTRAINT `a_b` FOREIGN KEY (`b_id`) REFERENCES `b` (`id`) ON DELETE SET NULL ON UPDATE CASCADE);

-- case: good
CREATE TABLE `work_new` (`id` int);
DROP TABLE `work_new`;

-- Written before the linter had seen them; what it said of them at first is in docs/lint-comparison.md.

-- case: destructive
DROP TABLE IF EXISTS `shop`.`carts`;

-- case: destructive
ALTER TABLE `orders` DROP COLUMN `note`, ALGORITHM=INPLACE;

-- case: destructive
DELETE FROM `sessions` WHERE `id` = `id`;

-- case: destructive
TRUNCATE TABLE `shop`.`log`;

-- case: destructive
ALTER TABLE events TRUNCATE PARTITION ALL;

-- case: destructive
DROP EVENT IF EXISTS nightly;

-- case: destructive
REPLACE INTO flags SET name = 'x', on_off = 1;

-- case: destructive
SET @@sql_mode = 'NO_ENGINE_SUBSTITUTION';

-- case: non-idempotent
CREATE TABLE `orders` (`id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, `state` ENUM('new','done') NOT NULL DEFAULT 'new') ENGINE=InnoDB;

-- case: non-idempotent
ALTER TABLE `orders` ADD `note` TEXT NULL AFTER `state`, ADD INDEX `idx_state` (`state`);

-- case: non-idempotent
CREATE INDEX `idx_state` USING BTREE ON `orders` (`state`);

-- case: non-idempotent
DROP INDEX `idx_state` ON `orders`;

-- case: non-idempotent
ALTER TABLE `orders` RENAME INDEX `a` TO `b`;

-- case: non-idempotent
INSERT INTO `states` VALUES (1, 'new'), (2, 'done');

-- case: non-idempotent
INSERT INTO visits (day, n) VALUES (CURDATE(), 1) ON DUPLICATE KEY UPDATE n = n + 1;

-- case: non-idempotent
UPDATE prices SET cents = cents + 100 WHERE country = 'DE';

-- case: non-idempotent
CREATE DEFINER=CURRENT_USER TRIGGER orders_bi BEFORE INSERT ON orders FOR EACH ROW SET NEW.created = NOW();

-- case: non-idempotent
CREATE VIEW open_orders AS SELECT id FROM orders WHERE state = 'new';

-- case: non-idempotent
ALTER TABLE orders ADD CONSTRAINT chk_total CHECK (total >= 0), ALGORITHM=COPY;

-- case: non-idempotent
ALTER TABLE orders DROP FOREIGN KEY fk_customer;

-- case: non-idempotent
ALTER TABLE orders PARTITION BY RANGE (year) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
ALTER TABLE orders ADD PARTITION (PARTITION p2 VALUES LESS THAN (2031));

-- case: non-idempotent
CREATE USER 'report'@'10.%';

-- case: non-idempotent
RENAME TABLE a TO b, c TO d;

-- case: lock
ALTER TABLE `orders` MODIFY `total` DECIMAL(14,2) NOT NULL;

-- case: lock
ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4;

-- case: lock
ALTER TABLE orders ADD CONSTRAINT fk_c FOREIGN KEY (customer_id) REFERENCES customers (id);

-- case: lock
ALTER TABLE orders ENGINE=InnoDB;

-- case: lock
OPTIMIZE TABLE orders;

-- case: lock
ALTER TABLE orders ADD FULLTEXT KEY ft (note);

-- case: lock
LOCK TABLES orders WRITE;
UNLOCK TABLES;

-- case: lock
ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (tenant_id, id);

-- case: breaking
ALTER TABLE orders CHANGE total gross DECIMAL(10,2);

-- case: breaking
RENAME TABLE orders TO purchases;

-- case: breaking
ALTER TABLE orders ADD COLUMN channel VARCHAR(20) NOT NULL;

-- case: may-fail
ALTER TABLE users ADD UNIQUE INDEX u_email (email);

-- case: may-fail
CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(100));
-- next file
ALTER TABLE users MODIFY name VARCHAR(20);

-- case: may-fail
ALTER TABLE users ADD INDEX i (a), ALGORITHM=INSTANT;

-- case: transaction
START TRANSACTION;
CREATE TABLE IF NOT EXISTS a (id INT);
INSERT IGNORE INTO a VALUES (1);
ROLLBACK;

-- case: transaction
START TRANSACTION;
UPDATE orders SET state = 'done' WHERE state = 'finished';

-- case: transaction, mariadb
CREATE TABLE IF NOT EXISTS t (a VARCHAR(10)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

-- case: security
GRANT ALL PRIVILEGES ON *.* TO 'app'@'%';

-- case: security
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'hunter2';

-- case: security
SET GLOBAL log_bin_trust_function_creators = 1;

-- case: good
CREATE TABLE IF NOT EXISTS `orders` (`id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, `state` ENUM('new','done') NOT NULL DEFAULT 'new', PRIMARY KEY (`id`), KEY `idx_state` (`state`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- case: good
INSERT IGNORE INTO states (id, name) VALUES (1, 'new');

-- case: good
INSERT INTO states (id, name) VALUES (1, 'new') ON DUPLICATE KEY UPDATE name = VALUES(name);

-- case: good
UPDATE orders SET state = 'done' WHERE state = 'finished';

-- case: good
DELETE FROM sessions WHERE expires < NOW() LIMIT 1000;

-- case: good
CREATE OR REPLACE VIEW v AS SELECT id FROM orders;

-- case: good
DROP PROCEDURE IF EXISTS tmp_fill;
DELIMITER //
CREATE PROCEDURE tmp_fill()
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < 10 DO SET i = i + 1; END WHILE;
END//
DELIMITER ;
CALL tmp_fill();

-- case: good, mariadb
SET lock_wait_timeout = 5;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note TEXT;

-- case: good, mariadb
CREATE INDEX IF NOT EXISTS idx_state ON orders (state);

-- case: good
START TRANSACTION;
INSERT IGNORE INTO states (id, name) VALUES (3, 'x');
COMMIT;

-- case: good
SET NAMES utf8mb4;
SET FOREIGN_KEY_CHECKS = 0;
SET FOREIGN_KEY_CHECKS = 1;

-- case: good
CREATE TEMPORARY TABLE work (id INT PRIMARY KEY);
DROP TEMPORARY TABLE work;

-- case: good
GRANT SELECT ON shop.orders TO 'report'@'10.%';

-- case: good
ANALYZE TABLE orders;

-- Findings on real migrations that were wrong.

-- case: good
INSERT IGNORE INTO states (id, name) VALUES (1, 'new');--> statement-breakpoint
INSERT IGNORE INTO states (id, name) VALUES (2, 'done');--> statement-breakpoint
INSERT IGNORE INTO states (id, name) VALUES (3, 'lost');

-- Held out: written before guard had seen them.

-- case: good
CREATE TABLE IF NOT EXISTS `customers` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `email` varchar(191) NOT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE KEY `customers_email_unique` (`email`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

-- case: good
create table if not exists order_lines (
  order_id bigint not null,
  line_no  int    not null,
  sku      varchar(40) not null,
  primary key (order_id, line_no),
  index ix_sku (sku),
  constraint fk_order_lines_order foreign key (order_id) references orders (id)
) engine=InnoDB;

-- case: good
INSERT IGNORE INTO roles (id, name) VALUES (1, 'admin'), (2, 'user');

-- case: good
INSERT INTO settings (`key`, `value`) VALUES ('locale', 'en')
ON DUPLICATE KEY UPDATE `value` = VALUES(`value`);

-- case: good
INSERT INTO currencies (code, digits) VALUES ('EUR', 2), ('JPY', 0) AS new
ON DUPLICATE KEY UPDATE digits = new.digits;

-- case: good
INSERT INTO permissions (name)
SELECT 'reports.read' FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM permissions WHERE name = 'reports.read');

-- case: good
CREATE OR REPLACE VIEW active_customers AS
SELECT id, email FROM customers WHERE deleted_at IS NULL;

-- case: good
CREATE OR REPLACE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW `v_orders` AS SELECT `id`, `total` FROM `orders`;

-- case: good
DROP PROCEDURE IF EXISTS purge_tokens;
DELIMITER //
CREATE PROCEDURE purge_tokens(IN days INT)
BEGIN
  DELETE FROM tokens WHERE created_at < NOW() - INTERVAL days DAY;
END //
DELIMITER ;

-- case: good
DELIMITER $$
DROP TRIGGER IF EXISTS customers_bu$$
CREATE TRIGGER customers_bu BEFORE UPDATE ON customers FOR EACH ROW
BEGIN
  IF NEW.email <> OLD.email THEN
    SET NEW.email_verified_at = NULL;
  END IF;
END$$
DELIMITER ;

-- case: good
SET @missing := (SELECT COUNT(*) = 0 FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'customers' AND COLUMN_NAME = 'phone');
SET @ddl := IF(@missing, 'ALTER TABLE customers ADD COLUMN phone VARCHAR(20) NULL', 'DO 0');
PREPARE stmt FROM @ddl;
EXECUTE stmt;
DEALLOCATE PREPARE stmt;

-- case: good
SET @s = (SELECT IF(
  (SELECT COUNT(*) FROM INFORMATION_SCHEMA.STATISTICS
    WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_status') > 0,
  'SELECT 1',
  'CREATE INDEX ix_orders_status ON orders (status)'));
PREPARE q FROM @s;
EXECUTE q;
DEALLOCATE PREPARE q;

-- case: good
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';

-- case: good
ALTER TABLE `orders` ALTER `currency` SET DEFAULT 'EUR', ALGORITHM=INSTANT;

-- case: good
CREATE TABLE IF NOT EXISTS products (id int PRIMARY KEY, name varchar(40) NOT NULL);
-- next file
ALTER TABLE products MODIFY COLUMN name varchar(60) NOT NULL;

-- case: good
CREATE TABLE IF NOT EXISTS tickets (id int PRIMARY KEY, state ENUM('open', 'closed') NOT NULL DEFAULT 'open');
-- next file
ALTER TABLE tickets MODIFY state ENUM('open', 'closed', 'waiting') NOT NULL DEFAULT 'open';

-- case: good
ALTER TABLE orders ALTER INDEX ix_orders_old INVISIBLE;

-- case: good
ALTER TABLE orders COMMENT = 'what was bought';

-- case: good
UPDATE orders SET status = 'cancelled' WHERE status = 'canceled';

-- case: good
UPDATE customers SET country = 'DE' WHERE country IS NULL LIMIT 1000;

-- case: good
UPDATE orders o JOIN customers c ON c.id = o.customer_id
   SET o.region = c.region
 WHERE o.region IS NULL;

-- case: good
DELETE FROM sessions WHERE last_seen < '2023-01-01';

-- case: good
DELETE t FROM tags t JOIN tags k ON k.name = t.name AND k.id < t.id WHERE t.id > 0;

-- case: good
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET SESSION lock_wait_timeout = 5;

-- case: good
CREATE TEMPORARY TABLE keepers AS SELECT MIN(id) AS id FROM tags GROUP BY name;
DELETE FROM tags WHERE id NOT IN (SELECT id FROM keepers);
DROP TEMPORARY TABLE keepers;

-- case: good
CREATE DATABASE IF NOT EXISTS reporting CHARACTER SET utf8mb4;

-- case: good
CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED WITH caching_sha2_password ACCOUNT LOCK;
GRANT SELECT ON app.* TO 'reader'@'%';

-- case: good
CREATE TABLE IF NOT EXISTS orders_2024 LIKE orders;

-- case: good
DROP FUNCTION IF EXISTS full_name;
CREATE FUNCTION full_name(a VARCHAR(100), b VARCHAR(100)) RETURNS VARCHAR(201) DETERMINISTIC RETURN CONCAT(a, ' ', b);

-- case: good
DROP EVENT IF EXISTS nightly_purge;
CREATE EVENT nightly_purge ON SCHEDULE EVERY 1 DAY DO DELETE FROM sessions WHERE expires < NOW();

-- case: good
CREATE EVENT IF NOT EXISTS hourly ON SCHEDULE EVERY 1 HOUR DO INSERT INTO heartbeats VALUES (NOW());

-- case: good
ANALYZE TABLE orders, customers;

-- case: good
-- DROP TABLE orders;
# TRUNCATE orders;
/* DELETE FROM orders; */
SELECT 'DELETE FROM orders; DROP TABLE customers' AS warning;

-- case: good
CREATE TABLE IF NOT EXISTS `prisma_like` (
    `id` VARCHAR(191) NOT NULL,
    `kind` ENUM('A', 'B') NOT NULL DEFAULT 'A',
    `data` JSON NOT NULL,
    INDEX `prisma_like_kind_idx`(`kind`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- case: good, in a transaction
CREATE TABLE IF NOT EXISTS one (id int PRIMARY KEY);

-- case: good, in a transaction
INSERT IGNORE INTO flags (name, is_on) VALUES ('beta', 0);
UPDATE flags SET description = 'new things' WHERE name = 'beta';

-- case: good
START TRANSACTION;
INSERT INTO plans (code, price) VALUES ('free', 0) ON DUPLICATE KEY UPDATE price = 0;
UPDATE accounts SET plan = 'free' WHERE plan IS NULL;
COMMIT;

-- case: good
CREATE TABLE IF NOT EXISTS events (
  id bigint NOT NULL,
  at date NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (YEAR(at)) (
  PARTITION p2023 VALUES LESS THAN (2024),
  PARTITION pmax VALUES LESS THAN MAXVALUE
);

-- case: good
DROP PROCEDURE IF EXISTS add_locale;
DELIMITER //
CREATE PROCEDURE add_locale()
BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                  WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'locale') THEN
    ALTER TABLE users ADD COLUMN locale VARCHAR(8) NULL;
  END IF;
END //
DELIMITER ;
CALL add_locale();
DROP PROCEDURE add_locale;

-- case: good
ALTER TABLE users STATS_PERSISTENT = 1;

-- case: good
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;

-- case: good
DROP VIEW IF EXISTS totals;
CREATE VIEW totals AS SELECT customer_id, SUM(total) AS total FROM orders GROUP BY customer_id;

-- case: good
CREATE TABLE IF NOT EXISTS scratch (id int PRIMARY KEY, v int);
ALTER TABLE scratch ADD INDEX ix_v (v);
DROP TABLE scratch;

-- case: good
UPDATE users SET email = LOWER(TRIM(email)) WHERE BINARY email <> LOWER(TRIM(email));

-- case: good, mariadb
ALTER TABLE users ADD COLUMN IF NOT EXISTS locale varchar(8) DEFAULT 'en';

-- case: good, mariadb
ALTER TABLE `users` ADD COLUMN IF NOT EXISTS `score` int NOT NULL DEFAULT 0 AFTER `name`;

-- case: good, mariadb
CREATE INDEX IF NOT EXISTS ix_users_locale ON users (locale);

-- case: good, mariadb
ALTER TABLE users ADD INDEX IF NOT EXISTS ix_users_name (name);

-- case: good, mariadb
DROP INDEX IF EXISTS ix_users_old ON users;

-- case: good, mariadb
CREATE OR REPLACE FUNCTION vat(x DECIMAL(10,2)) RETURNS DECIMAL(10,2) DETERMINISTIC RETURN x * 0.19;

-- case: good, mariadb
DELIMITER //
CREATE OR REPLACE PROCEDURE touch(IN uid INT)
BEGIN
  UPDATE users SET seen_at = NOW() WHERE id = uid;
END //
DELIMITER ;

-- case: good, mariadb
CREATE OR REPLACE TRIGGER users_bi BEFORE INSERT ON users FOR EACH ROW SET NEW.email = LOWER(NEW.email);

-- case: good, mariadb
CREATE SEQUENCE IF NOT EXISTS invoice_no START WITH 1000 INCREMENT BY 1;

-- case: good, mariadb
CREATE TABLE IF NOT EXISTS docs (
  id uuid NOT NULL DEFAULT uuid(),
  body longtext,
  primary key (id)
) with system versioning;

-- case: good, mariadb
CREATE ROLE IF NOT EXISTS reporter;
GRANT SELECT ON app.orders TO reporter;

-- case: good, mariadb
INSERT INTO kv (k, v) VALUES ('a', '1') ON DUPLICATE KEY UPDATE v = VALUE(v);

-- case: good, mariadb
CREATE OR REPLACE SQL SECURITY INVOKER VIEW v AS SELECT 1 AS one;

-- case: good, mariadb
SET STATEMENT max_statement_time = 5 FOR SELECT COUNT(*) FROM users;

-- case: good, mariadb
ALTER TABLE IF EXISTS users ADD COLUMN IF NOT EXISTS nick varchar(30), ALTER COLUMN locale SET DEFAULT 'en';

-- case: good, mariadb
CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 DAY DO DELETE FROM sessions WHERE expires < NOW();

-- case: good
UPDATE products SET price_cents = ROUND(price * 100) WHERE price_cents IS NULL;

-- case: good
INSERT INTO archive_orders (id, total)
SELECT o.id, o.total FROM orders o LEFT JOIN archive_orders a ON a.id = o.id
 WHERE a.id IS NULL AND o.created_at < '2020-01-01';

-- case: non-idempotent
CREATE TABLE `sessions` (`id` VARCHAR(191) NOT NULL, PRIMARY KEY (`id`)) DEFAULT CHARACTER SET utf8mb4;

-- case: non-idempotent
ALTER TABLE `users` ADD COLUMN `locale` VARCHAR(8) NULL;

-- case: non-idempotent
alter table users add (a int, b int);

-- case: non-idempotent
CREATE INDEX ix_users_name ON users (name);

-- case: non-idempotent
ALTER TABLE users ADD UNIQUE KEY uq_email (email);

-- case: non-idempotent
DROP INDEX ix_users_name ON users;

-- case: non-idempotent
ALTER TABLE `users` DROP INDEX `ix_old`;

-- case: non-idempotent
INSERT INTO roles (name) VALUES ('admin');

-- case: non-idempotent
INSERT INTO audit SELECT * FROM audit_old;

-- case: non-idempotent
UPDATE accounts SET balance = balance + 10 WHERE vip = 1;

-- case: non-idempotent
INSERT INTO counters (name, n) VALUES ('x', 1) ON DUPLICATE KEY UPDATE n = n + 1;

-- case: non-idempotent
CREATE VIEW v1 AS SELECT 1;

-- case: non-idempotent
DELIMITER //
CREATE PROCEDURE p1() BEGIN SELECT 1; END //
DELIMITER ;

-- case: non-idempotent
CREATE TRIGGER tr BEFORE INSERT ON users FOR EACH ROW SET NEW.created_at = NOW();

-- case: non-idempotent
ALTER TABLE orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users (id);

-- case: non-idempotent
RENAME TABLE old_users TO users_v1;

-- case: non-idempotent
CREATE USER 'svc'@'%' IDENTIFIED WITH auth_socket;

-- case: non-idempotent
LOAD DATA LOCAL INFILE 'zip.csv' INTO TABLE zips FIELDS TERMINATED BY ',';

-- case: non-idempotent
CREATE DATABASE analytics;

-- case: non-idempotent
ALTER TABLE users RENAME INDEX ix_a TO ix_b;

-- case: non-idempotent, mariadb
ALTER TABLE users ADD COLUMN nick varchar(20);

-- case: non-idempotent, mariadb
CREATE SEQUENCE s1;

-- case: destructive
DROP TABLE `old_orders`;

-- case: destructive
ALTER TABLE users DROP COLUMN legacy_id, DROP COLUMN legacy_name;

-- case: destructive
TRUNCATE TABLE audit;

-- case: destructive
DELETE FROM carts;

-- case: destructive
DELETE FROM carts WHERE 1;

-- case: destructive
UPDATE users SET locale = 'en';

-- case: destructive
DROP VIEW IF EXISTS v_old;

-- case: destructive
REPLACE INTO settings (id, name) VALUES (1, 'x');

-- case: destructive, mariadb
CREATE OR REPLACE TABLE settings (id int PRIMARY KEY);

-- case: destructive
ALTER TABLE events DROP PARTITION p2019;

-- case: destructive
SET SESSION sql_mode = '';

-- case: destructive
DROP DATABASE IF EXISTS staging;

-- case: destructive
SET @d = 'DROP TABLE users';
PREPARE s FROM @d;
EXECUTE s;

-- case: destructive
DROP EVENT IF EXISTS nightly;

-- case: destructive
SET FOREIGN_KEY_CHECKS = 0;
DROP TABLE IF EXISTS users, orders;
SET FOREIGN_KEY_CHECKS = 1;

-- case: lock
ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- case: lock
ALTER TABLE orders MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT;

-- case: lock
ALTER TABLE orders ENGINE=InnoDB;

-- case: lock
ALTER TABLE docs ADD FULLTEXT INDEX ft_body (body);

-- case: lock
OPTIMIZE TABLE orders;

-- case: lock
ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (id, tenant_id);

-- case: lock
CREATE TABLE IF NOT EXISTS names (id int PRIMARY KEY, n varchar(50) NOT NULL) CHARSET=utf8mb4;
-- next file
ALTER TABLE names MODIFY n varchar(100) NOT NULL;

-- case: lock
ALTER TABLE places ADD SPATIAL INDEX sp_geom (geom);

-- case: lock
LOCK TABLES users WRITE;
UPDATE users SET flag = 1 WHERE id = 2;
UNLOCK TABLES;

-- case: breaking
ALTER TABLE users CHANGE COLUMN name full_name VARCHAR(100) NOT NULL;

-- case: breaking
ALTER TABLE users RENAME COLUMN mail TO email;

-- case: breaking
CREATE TABLE IF NOT EXISTS j (id int PRIMARY KEY, n varchar(20) NOT NULL DEFAULT 'x' COMMENT 'name');
-- next file
ALTER TABLE j MODIFY n varchar(30);

-- case: breaking
ALTER TABLE orders RENAME TO purchases;

-- case: lock, mariadb
ALTER TABLE users MODIFY COLUMN IF EXISTS email varchar(200) NULL;

-- case: may-fail
ALTER TABLE users ADD UNIQUE INDEX uq_phone (phone);

-- case: may-fail
CREATE TABLE IF NOT EXISTS k (id int PRIMARY KEY, s varchar(100) NOT NULL);
-- next file
ALTER TABLE k MODIFY s varchar(10) NOT NULL;

-- case: may-fail
ALTER TABLE users ADD COLUMN age TINYINT NULL, ALGORITHM=INSTANT, LOCK=NONE;

-- case: transaction
START TRANSACTION;
ALTER TABLE users ADD COLUMN z INT;
INSERT IGNORE INTO roles (name) VALUES ('z');
COMMIT;

-- case: transaction
ALTER TABLE users ADD COLUMN IF NOT EXISTS q INT;

-- case: transaction
START TRANSACTION;
UPDATE users SET a = 1 WHERE id = 1;

-- case: transaction, mariadb
ALTER TABLE users ALTER INDEX ix_a INVISIBLE;

-- case: transaction
CREATE TABLE IF NOT EXISTS raw (id int) ENGINE=MyISAM;

-- case: security
CREATE DEFINER=`root`@`localhost` VIEW vx AS SELECT 1;

-- case: security
SET GLOBAL max_connections = 500;

-- case: security
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'secret';

-- case: security
GRANT ALL PRIVILEGES ON *.* TO 'app'@'%' WITH GRANT OPTION;

-- case: security
ALTER USER 'app'@'%' IDENTIFIED BY 'n3w';

-- Held out, a second time.

-- case: good
CREATE TABLE IF NOT EXISTS `shipments` (
  `id` char(36) NOT NULL,
  `order_id` int NOT NULL,
  `carrier` enum('dhl','ups') DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `idx_order` (`order_id`),
  CONSTRAINT `shipments_ibfk_1` FOREIGN KEY (`order_id`) REFERENCES `orders` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- case: good
INSERT INTO countries (code, name) VALUES ('DE', 'Germany'), ('FR', 'France') ON DUPLICATE KEY UPDATE name = VALUES(name);

-- case: good
INSERT IGNORE INTO role_permissions (role_id, permission_id) SELECT r.id, p.id FROM roles r, permissions p WHERE r.name = 'admin';

-- case: good
UPDATE users u SET u.locale = 'de' WHERE u.locale IS NULL AND u.country = 'DE';

-- case: good
ALTER TABLE users ALTER COLUMN locale SET DEFAULT 'en', ALTER COLUMN country SET DEFAULT 'DE';

-- case: good
DROP TRIGGER IF EXISTS orders_ai;
CREATE TRIGGER orders_ai AFTER INSERT ON orders FOR EACH ROW INSERT INTO order_log (order_id) VALUES (NEW.id);

-- case: good
CREATE TABLE IF NOT EXISTS wide (id int PRIMARY KEY, c varchar(300) NOT NULL DEFAULT '');
-- next file
ALTER TABLE wide MODIFY COLUMN c varchar(500) NOT NULL DEFAULT '';

-- case: good
CREATE TABLE IF NOT EXISTS moods (id int PRIMARY KEY, m SET('a','b') NOT NULL);
-- next file
ALTER TABLE moods MODIFY m SET('a','b','c') NOT NULL;

-- case: good
DELETE FROM logs WHERE created_at < '2020-01-01' ORDER BY id LIMIT 5000;

-- case: good
START TRANSACTION;
UPDATE orders SET status = 'paid' WHERE status = 'payed';
DELETE FROM carts WHERE user_id NOT IN (SELECT id FROM users);
COMMIT;

-- case: good
CREATE OR REPLACE VIEW vv (a, b) AS SELECT id, email FROM users WITH CHECK OPTION;

-- case: good
DELIMITER ;;
DROP PROCEDURE IF EXISTS refill;;
CREATE PROCEDURE refill()
BEGIN
  DECLARE done INT DEFAULT 1;
  WHILE done > 0 DO
    UPDATE users SET locale = 'en' WHERE locale IS NULL LIMIT 1000;
    SET done = ROW_COUNT();
  END WHILE;
END;;
DELIMITER ;
CALL refill();
DROP PROCEDURE refill;

-- case: good
GRANT SELECT, INSERT ON app.* TO 'svc'@'10.%';
REVOKE DELETE ON app.* FROM 'svc'@'10.%';

-- case: good, mariadb
ALTER TABLE orders DROP INDEX IF EXISTS ix_old, ADD INDEX IF NOT EXISTS ix_new (status, user_id);

-- case: good, mariadb
ALTER TABLE orders ADD COLUMN IF NOT EXISTS (note varchar(200), flags int NOT NULL DEFAULT 0);

-- case: good, mariadb
DELETE FROM tokens WHERE expires < NOW() RETURNING id;

-- case: non-idempotent
ALTER TABLE orders ADD note TEXT NULL AFTER status;

-- case: non-idempotent
INSERT INTO logs SET msg = 'migrated';

-- case: non-idempotent
CREATE UNIQUE INDEX uq ON users (email);

-- case: non-idempotent
UPDATE products SET stock = stock + 5 WHERE id IN (1, 2);

-- case: non-idempotent
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;

-- case: destructive
ALTER TABLE `orders` DROP `note`;

-- case: destructive
DROP TABLE IF EXISTS tmp_a, tmp_b CASCADE;

-- case: destructive
ALTER TABLE events TRUNCATE PARTITION p1;

-- case: lock
ALTER TABLE users MODIFY COLUMN email VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL;

-- case: lock
ALTER TABLE orders ROW_FORMAT=COMPRESSED;

-- case: lock
ALTER TABLE orders ADD COLUMN total2 DECIMAL(10,2) AS (total * 2) STORED;

-- case: breaking
ALTER TABLE users CHANGE mail email VARCHAR(200) NOT NULL;

-- case: transaction
BEGIN;
CREATE TABLE IF NOT EXISTS x1 (id int PRIMARY KEY);
UPDATE users SET locale = 'x' WHERE id = 1;
COMMIT;

-- case: transaction
CREATE INDEX IF NOT EXISTS i1 ON users (email);

-- case: security
CREATE DEFINER='admin'@'%' PROCEDURE pp() SELECT 1;
