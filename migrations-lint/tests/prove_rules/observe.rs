//! A database as seen from outside: its catalogue and its rows as keys and values that can be compared.

use crate::change::Snapshot;
use crate::server::Database;

/// The strong locks of the own transaction, as `table mode`.
pub(crate) const LOCKS: &str = "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relnamespace = 'public'::regnamespace \
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') ORDER BY 1, 2;";

/// One line for each thing there is: a key, a blank, what it is like.
const EVERYTHING: &str = r"
SELECT format('relation:%s %s %s', c.oid::regclass, c.relkind, concat_ws(',', c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.reloptions))
  FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
UNION ALL SELECT format('file:%s %s', c.oid::regclass, c.relfilenode) FROM pg_class c WHERE c.relkind IN ('r', 'i', 'm') AND c.relnamespace = 'public'::regnamespace
UNION ALL SELECT format('column:%s.%s %s', a.attrelid::regclass, a.attname, concat_ws(',', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'c') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
UNION ALL SELECT format('constraint:%s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT format('trigger:%s.%s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT format('policy:%s.%s %s', polrelid::regclass, polname, polcmd) FROM pg_policy
UNION ALL SELECT format('type:%s %s', oid::regtype, typtype) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'c')
UNION ALL SELECT format('value:%s.%s x', enumtypid::regtype, enumlabel) FROM pg_enum
UNION ALL SELECT format('function:%s %s', oid::regprocedure, concat_ws(',', prosecdef, proconfig)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT format('extension:%s %s', extname, extversion) FROM pg_extension
UNION ALL SELECT format('schema:%s %s', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT format('role:%s %s', rolname, concat_ws(',', rolsuper, rolcreaterole, rolbypassrls, rolcanlogin, rolpassword IS NOT NULL)) FROM pg_authid WHERE rolname !~ '^pg_'
UNION ALL SELECT format('member:%s.%s x', roleid::regrole, member::regrole) FROM pg_auth_members WHERE member::regrole::text !~ '^pg_'
UNION ALL SELECT format('publication:%s %s', p.pubname, (SELECT count(*) FROM pg_publication_rel r WHERE r.prpubid = p.oid)) FROM pg_publication p
UNION ALL SELECT format('statistics:%s x', stxname) FROM pg_statistic_ext
UNION ALL SELECT format('collation:%s x', collname) FROM pg_collation WHERE collnamespace = 'public'::regnamespace
UNION ALL SELECT format('operator:%s x', oid::regoperator) FROM pg_operator WHERE oprnamespace = 'public'::regnamespace
UNION ALL SELECT format('wrapper:%s x', fdwname) FROM pg_foreign_data_wrapper
UNION ALL SELECT format('rule:%s.%s x', ev_class::regclass, rulename) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT format('inherits:%s.%s x', inhparent::regclass, inhrelid::regclass) FROM pg_inherits
UNION ALL SELECT format('sequence:%s %s', sequencename, concat_ws(',', last_value, start_value)) FROM pg_sequences
UNION ALL SELECT format('setting:%s %s', name, setting) FROM pg_file_settings WHERE sourcefile ~ 'auto.conf'
UNION ALL SELECT format('rows:%s %s', c.oid::regclass, md5(query_to_xml(format('SELECT * FROM %s t ORDER BY t::text', c.oid::regclass), true, false, '')::text))
  FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relnamespace = 'public'::regnamespace AND c.relpersistence <> 't'
UNION ALL SELECT format('count:%s %s', c.oid::regclass, (xpath('/table/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), true, false, '')))[1])
  FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relnamespace = 'public'::regnamespace AND c.relpersistence <> 't';
";

impl Snapshot {
    /// Looks at the database.
    pub(crate) fn take(database: &Database<'_>) -> Self {
        let rows = database.query(EVERYTHING).expect("the catalogue can be read");
        let pairs =
            rows.lines().filter_map(|row| row.split_once(' ')).map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self(pairs.collect())
    }

    /// Whether a relation of that name is there.
    pub(crate) fn has_relation(&self, name: &str) -> bool {
        self.0.contains_key(&format!("relation:{name}"))
    }

    /// Tables and indexes whose file is another one.
    pub(crate) fn rewritten(&self, after: &Self) -> Vec<String> {
        let files = self.0.iter().filter_map(|(key, file)| Some((key.strip_prefix("file:")?, file)));
        files
            .filter(|(name, file)| after.0.get(&format!("file:{name}")).is_some_and(|now| now != *file))
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// How a thing is told that was not there before.
pub(crate) fn describe_new(key: &str, _value: &str) -> String {
    format!("{key} new")
}
