//! The schema as text, object by object, so that two states can be compared; and what in it is not sound.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use super::error::{RehearseError, asked};
use super::meter::parse;
use super::record::SchemaChange;

/// A database's definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Schema {
    /// By `kind name`.
    objects: BTreeMap<String, String>,
    invalid_indexes: BTreeSet<String>,
    unvalidated_constraints: BTreeSet<String>,
    foreign_keys_without_index: BTreeSet<String>,
}

/// Reads it, in a session whose search path is empty.
pub(super) async fn schema(session: &mut PgConnection) -> Result<Schema, RehearseError> {
    let attempt = "reading the schema";
    let text: String = sqlx::query_scalar(OBJECTS).fetch_one(&mut *session).await.map_err(asked(attempt))?;
    let mut names = Vec::new();
    for query in [INVALID_INDEXES, UNVALIDATED, WITHOUT_INDEX] {
        let found: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut *session).await.map_err(asked(attempt))?;
        names.push(found.into_iter().collect());
    }
    let mut names = names.into_iter();
    Ok(Schema {
        objects: parse(&text, attempt)?,
        invalid_indexes: names.next().unwrap_or_default(),
        unvalidated_constraints: names.next().unwrap_or_default(),
        foreign_keys_without_index: names.next().unwrap_or_default(),
    })
}

impl Schema {
    /// What is different afterwards, and what is unsound and was not before.
    pub(super) fn change_to(&self, after: &Self) -> SchemaChange {
        let new = |before: &BTreeSet<String>, after: &BTreeSet<String>| after.difference(before).cloned().collect();
        let is_changed = |name: &&String| self.objects.get(*name).is_some_and(|before| after.objects[*name] != *before);
        SchemaChange {
            added: after.objects.keys().filter(|name| !self.objects.contains_key(*name)).cloned().collect(),
            removed: self.objects.keys().filter(|name| !after.objects.contains_key(*name)).cloned().collect(),
            changed: after.objects.keys().filter(is_changed).cloned().collect(),
            invalid_indexes: new(&self.invalid_indexes, &after.invalid_indexes),
            unvalidated_constraints: new(&self.unvalidated_constraints, &after.unvalidated_constraints),
            foreign_keys_without_index: new(&self.foreign_keys_without_index, &after.foreign_keys_without_index),
        }
    }

    /// In what another state differs from this one, in a sentence each.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let change = self.change_to(other);
        let each =
            |names: Vec<String>, what: &str| names.into_iter().map(move |name| format!("{name} {what}")).collect();
        let added: Vec<String> = each(change.added, "is there and was not");
        let removed: Vec<String> = each(change.removed, "is gone");
        let changed = change.changed.into_iter().map(|name| {
            let (was, is) = (&self.objects[&name], &other.objects[&name]);
            format!("{name} was `{}` and is `{}`", brief(was), brief(is))
        });
        removed.into_iter().chain(added).chain(changed).collect()
    }

    /// Indexes that answer no query.
    pub(super) fn invalid_indexes(&self) -> &BTreeSet<String> {
        &self.invalid_indexes
    }
}

fn brief(definition: &str) -> String {
    let flat: String = definition.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(120) {
        None => flat,
        Some((end, _)) => format!("{} …", &flat[..end]),
    }
}

/// Every definition of a user's, extension members excepted. Positions of columns are left out on purpose: a column that a
/// way back brings again comes last, and no statement that names its columns sees that.
const OBJECTS: &str = r"
WITH own AS (SELECT oid, nspname, nspowner, nspacl FROM pg_catalog.pg_namespace
             WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'),
member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
rel AS (SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN own n ON n.oid = c.relnamespace
        WHERE ('pg_catalog.pg_class'::regclass::oid, c.oid) NOT IN (SELECT classid, objid FROM member)),
object(name, definition) AS (
  SELECT 'schema ' || quote_ident(nspname), concat_ws(' ', pg_get_userbyid(nspowner), nspacl::text) FROM own
   WHERE ('pg_catalog.pg_namespace'::regclass::oid, oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
              WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END || format(' %I.%I', nspname, relname),
         concat_ws(' ', pg_get_userbyid(relowner), relpersistence, relacl::text, reloptions::text,
           CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
           relreplident, CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END,
           CASE WHEN relispartition THEN pg_get_expr(relpartbound, oid) END,
           CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END,
           (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rel.oid),
           (SELECT spcname::text FROM pg_tablespace WHERE oid = reltablespace))
    FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  UNION ALL
  SELECT format('column %I.%I.%I', rel.nspname, rel.relname, a.attname),
         concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
           CASE WHEN a.attgenerated <> '' THEN 'GENERATED' WHEN d.oid IS NOT NULL THEN 'DEFAULT' END,
           pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, a.attacl::text)
    FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attnum > 0 AND NOT a.attisdropped AND rel.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL
  SELECT format('constraint %I on %s', co.conname,
                coalesce(nullif(co.conrelid, 0)::regclass::text, co.contypid::regtype::text)),
         pg_get_constraintdef(co.oid) || CASE WHEN co.condeferrable THEN ' DEFERRABLE' ELSE '' END
    FROM pg_constraint co JOIN own ON own.oid = co.connamespace WHERE co.contype NOT IN ('n', 't')
  UNION ALL
  SELECT format('index %I.%I', rel.nspname, rel.relname),
         concat_ws(' ', pg_get_indexdef(rel.oid), CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
           CASE WHEN i.indisclustered THEN 'CLUSTERED' END, CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END)
    FROM pg_index i JOIN rel ON rel.oid = i.indexrelid
  UNION ALL
  SELECT format('trigger %I on %s', t.tgname, t.tgrelid::regclass), concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT format('rule %I on %s', r.rulename, r.ev_class::regclass), pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN rel ON rel.oid = r.ev_class WHERE r.rulename <> '_RETURN'
  UNION ALL
  SELECT format('policy %I on %s', p.polname, p.polrelid::regclass),
         concat_ws(' ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
           ARRAY(SELECT r::regrole::text FROM unnest(p.polroles) AS r ORDER BY 1)::text,
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p JOIN rel ON rel.oid = p.polrelid
  UNION ALL
  SELECT format('function %s', p.oid::regprocedure), concat_ws(' ', pg_get_userbyid(p.proowner), p.proacl::text,
           CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END)
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace
   WHERE ('pg_catalog.pg_proc'::regclass::oid, p.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT format('type %I.%I', own.nspname, t.typname),
         concat_ws(' ', t.typtype, pg_get_userbyid(t.typowner), t.typacl::text,
           CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           CASE WHEN t.typnotnull THEN 'NOT NULL' END, t.typdefault,
           (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
           (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = t.oid))
    FROM pg_type t JOIN own ON own.oid = t.typnamespace
   WHERE t.typtype IN ('e', 'd', 'r')
     AND ('pg_catalog.pg_type'::regclass::oid, t.oid) NOT IN (SELECT classid, objid FROM member)
  UNION ALL
  SELECT format('sequence parameters of %I.%I', rel.nspname, rel.relname),
         concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
    FROM pg_sequence s JOIN rel ON rel.oid = s.seqrelid
  UNION ALL
  SELECT format('extension %I', extname), extversion FROM pg_extension
  UNION ALL
  SELECT 'comment on ' || (pg_identify_object(d.classoid, d.objoid, d.objsubid)).identity, d.description
    FROM pg_description d
   WHERE d.objoid >= 16384 AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM member)
     AND d.classoid <> 'pg_catalog.pg_extension'::regclass
  UNION ALL
  SELECT format('event trigger %I', evtname), concat_ws(' ', evtevent, evtfoid::regprocedure, evtenabled, evttags::text)
    FROM pg_event_trigger
  UNION ALL
  SELECT format('statistics %I.%I', own.nspname, s.stxname), pg_get_statisticsobjdef(s.oid)
    FROM pg_statistic_ext s JOIN own ON own.oid = s.stxnamespace
  UNION ALL
  SELECT format('publication %I', pubname), concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate,
           (SELECT string_agg(prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text)
              FROM pg_publication_rel WHERE prpubid = p.oid)) FROM pg_publication p
)
SELECT coalesce(json_object_agg(name, coalesce(definition, '')), '{}')::text FROM object WHERE name IS NOT NULL";

const INVALID_INDEXES: &str = "
    SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND n.nspname NOT LIKE 'pg\\_temp%'";

const UNVALIDATED: &str = "
    SELECT pg_catalog.format('%I on %s', conname, conrelid::pg_catalog.regclass) FROM pg_catalog.pg_constraint
    WHERE NOT convalidated AND conrelid <> 0";

/// An index serves a foreign key if its first columns are the key's, in whichever order.
const WITHOUT_INDEX: &str = "
    SELECT pg_catalog.format('%I on %s', co.conname, co.conrelid::pg_catalog.regclass) FROM pg_catalog.pg_constraint co
    WHERE co.contype = 'f' AND co.conparentid = 0 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = co.conrelid AND i.indisvalid AND i.indpred IS NULL
          AND (pg_catalog.string_to_array(i.indkey::text, ' ')::int2[])[1:pg_catalog.cardinality(co.conkey)] @> co.conkey)";
