//! A database as seen from outside: its catalogue and its rows as keys and values that can be compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::change::Snapshot;
use crate::server::Database;

/// One line for each thing there is: a key, a blank, what it is like.
const EVERYTHING: &str = r"
SELECT CONCAT('table:', TABLE_NAME), CONCAT_WS(',', TABLE_TYPE, ENGINE, TABLE_COLLATION, ROW_FORMAT, CREATE_OPTIONS, TABLE_COMMENT) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE();
SELECT CONCAT('column:', TABLE_NAME, '.', COLUMN_NAME), CONCAT_WS(' ', COLUMN_TYPE, IF(IS_NULLABLE = 'NO', 'NOT NULL', 'NULL'), CONCAT('DEFAULT ', COLUMN_DEFAULT), EXTRA, COLLATION_NAME, COLUMN_COMMENT) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE();
SELECT CONCAT('index:', TABLE_NAME, '.', INDEX_NAME), CONCAT(MIN(NON_UNIQUE), '(', GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), ')') FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME, INDEX_NAME;
SELECT CONCAT('constraint:', TABLE_NAME, '.', CONSTRAINT_NAME), CONSTRAINT_TYPE FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = DATABASE();
SELECT CONCAT('partition:', TABLE_NAME, '.', PARTITION_NAME), PARTITION_DESCRIPTION FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL;
SELECT CONCAT('view:', TABLE_NAME), CONCAT_WS(' ', MD5(VIEW_DEFINITION), DEFINER, SECURITY_TYPE) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE();
SELECT CONCAT('trigger:', TRIGGER_NAME), CONCAT_WS(' ', EVENT_OBJECT_TABLE, MD5(ACTION_STATEMENT), DEFINER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE();
SELECT CONCAT('routine:', ROUTINE_NAME), CONCAT_WS(' ', ROUTINE_TYPE, MD5(ROUTINE_DEFINITION), DEFINER, SECURITY_TYPE) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE();
SELECT CONCAT('event:', EVENT_NAME), CONCAT_WS(' ', MD5(EVENT_DEFINITION), STATUS, DEFINER) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE();
SELECT CONCAT('database:', SCHEMA_NAME), 'x' FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'app';
SELECT CONCAT('account:', GRANTEE), GROUP_CONCAT(PRIVILEGE_TYPE ORDER BY 1) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE NOT LIKE '%root%' GROUP BY GRANTEE;
SELECT CONCAT('grants:', GRANTEE), COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE() GROUP BY GRANTEE;
SELECT CONCAT('setting:', VARIABLE_NAME), VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME IN ('LOG_BIN_TRUST_FUNCTION_CREATORS', 'MAX_CONNECTIONS');
SELECT CONCAT('file:', SUBSTRING_INDEX(NAME, '/', -1)), TABLE_ID FROM information_schema.INNODB_SYS_TABLES WHERE NAME LIKE CONCAT(DATABASE(), '/%') AND NAME NOT LIKE '%/FTS_%';
SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE';
";

impl Snapshot {
    /// Looks at the database.
    pub(crate) fn take(database: &Database<'_>) -> Self {
        let rows = database.run(EVERYTHING).expect("the catalogue can be read");
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let mut content = String::new();
        for row in rows.lines() {
            match row.split_once('\t') {
                Some((key, value)) => {
                    found.insert(key.to_owned(), value.to_owned());
                }
                None => {
                    write!(content, "CHECKSUM TABLE `{row}`; SELECT '{row}', COUNT(*) FROM `{row}`;")
                        .expect("a string takes text");
                }
            }
        }
        let answers = database.run(&content).unwrap_or_default();
        for row in answers.lines() {
            let Some((name, value)) = row.split_once('\t') else { continue };
            let key = match name.split_once('.') {
                Some((_, table)) => format!("rows:{table}"),
                None => format!("count:{name}"),
            };
            found.insert(key, value.to_owned());
        }
        Self(found)
    }

    /// Tables that are another table by now: copied, or rebuilt.
    pub(crate) fn rewritten(&self, after: &Self) -> Vec<String> {
        let files = self.0.iter().filter_map(|(key, file)| Some((key.strip_prefix("file:")?, file)));
        files
            .filter(|(name, file)| {
                after.0.get(&format!("file:{name}")) != Some(*file) && after.0.contains_key(&format!("table:{name}"))
            })
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// How a thing is told that was not there before.
pub(crate) fn describe_new(key: &str, value: &str) -> String {
    if key.starts_with("column:") { format!("{key} {value} new") } else { format!("{key} new") }
}
