//! All that a database holds as keys and values, and how two such pictures differ.
//!
//! Keys say what a thing is: `rows:` its contents, `count:` how many, `file:` where they are stored.

use std::collections::BTreeMap;

/// All that a database holds, by key.
pub(crate) struct Snapshot(pub(crate) BTreeMap<String, String>);

impl Snapshot {
    /// What is gone: objects, and rows.
    pub(crate) fn lost(&self, after: &Self) -> Vec<String> {
        let is_thing = |key: &&String| !key.starts_with("rows:") && !key.starts_with("file:");
        let gone = self.0.keys().filter(|key| !after.0.contains_key(*key)).filter(is_thing).cloned();
        let fewer = self.0.iter().filter(|(key, before)| {
            let now = after.0.get(*key).and_then(|count| count.parse::<u64>().ok());
            key.starts_with("count:") && now.is_some_and(|now| before.parse::<u64>().is_ok_and(|before| now < before))
        });
        gone.chain(fewer.map(|(key, _)| key.clone())).collect()
    }
}

/// Whether nothing is different but where it is stored.
pub(crate) fn is_same(before: &Snapshot, after: &Snapshot) -> bool {
    describe_change(before, after).is_empty()
}

/// What differs, in words; empty if nothing does.
pub(crate) fn describe_change(before: &Snapshot, after: &Snapshot) -> String {
    let matters = |key: &&String| !key.starts_with("file:");
    let mut changes = Vec::new();
    for key in before.0.keys().filter(matters) {
        match after.0.get(key) {
            None => changes.push(format!("{key} gone")),
            Some(now) if *now != before.0[key] && key.starts_with("rows:") => changes.push(format!("{key} differ")),
            Some(now) if *now != before.0[key] => changes.push(format!("{key}: {} becomes {now}", before.0[key])),
            Some(_) => {}
        }
    }
    let new = after.0.iter().filter(|(key, _)| matters(key) && !before.0.contains_key(*key));
    changes.extend(new.map(|(key, value)| crate::observe::describe_new(key, value)));
    changes.join("; ")
}
