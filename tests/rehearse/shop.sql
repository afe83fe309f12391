-- The database that the library of migrations is tried on.
CREATE TABLE customers (
    id serial PRIMARY KEY,
    email text NOT NULL,
    name text,
    phone text,
    balance integer NOT NULL DEFAULT 0,
    active boolean
);
INSERT INTO customers (email, name, phone, balance, active)
SELECT 'c' || n || '@example.com', 'Customer ' || n, CASE WHEN n % 2 = 0 THEN '+380' || n END, n,
       CASE WHEN n % 10 <> 0 THEN true END
FROM generate_series(1, 1000) AS n;
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    status varchar(20) NOT NULL DEFAULT 'new',
    total numeric(10, 2) NOT NULL,
    note text,
    placed_at timestamp NOT NULL DEFAULT '2026-01-01'
);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
INSERT INTO orders (customer_id, status, total)
SELECT n % 1000 + 1, CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' ELSE 'sent' END, n
FROM generate_series(1, 3000) AS n;
CREATE TABLE items (order_id bigint NOT NULL, sku text NOT NULL, quantity integer NOT NULL CHECK (quantity > 0));
INSERT INTO items SELECT n % 3000 + 1, 'sku-' || n % 50, n % 5 + 1 FROM generate_series(1, 4000) AS n;
CREATE TABLE empty (id integer, label text);
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TABLE tickets (id integer PRIMARY KEY, state state NOT NULL, opened date);
INSERT INTO tickets SELECT n, CASE WHEN n % 2 = 0 THEN 'open' ELSE 'closed' END::state, '2026-01-01' FROM generate_series(1, 100) AS n;
CREATE VIEW open_tickets AS SELECT id, opened FROM tickets WHERE state = 'open';
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE TABLE events (at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events SELECT '2025-06-01'::date + n, 'kind' || n % 3 FROM generate_series(1, 400) AS n;
