//! A map that can take back what was done to it since a moment, at the cost of what was done and not of what it holds.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A map with a memory of its changes while asked to keep one.
#[derive(Debug)]
pub(super) struct Undoable<K, V> {
    map: FxHashMap<K, V>,
    /// What each changed key held when the memory began.
    before: Option<FxHashMap<K, Option<V>>>,
}

impl<K, V> Default for Undoable<K, V> {
    fn default() -> Self {
        Self { map: FxHashMap::default(), before: None }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Undoable<K, V> {
    /// Begins to remember.
    pub(super) fn remember(&mut self) {
        self.before = Some(FxHashMap::default());
    }

    /// Takes back every change since [`Self::remember`].
    pub(super) fn take_back(&mut self) {
        for (key, value) in self.before.take().unwrap_or_default() {
            match value {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.map.values()
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.save(key);
        self.map.get_mut(key)
    }

    /// The value of the key, made if there is none.
    pub(super) fn or_default(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        self.or_insert(key.clone(), V::default())
    }

    /// The value of the key, `value` if there is none.
    pub(super) fn or_insert(&mut self, key: K, value: V) -> &mut V {
        self.save(&key);
        self.map.entry(key).or_insert(value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.save(&key);
        self.map.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.save(key);
        self.map.remove(key)
    }

    /// Removes the keys that fit; looks at all of them.
    pub(super) fn remove_all(&mut self, fits: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.map.keys().filter(|key| fits(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn save(&mut self, key: &K) {
        let Some(before) = &mut self.before else { return };
        if !before.contains_key(key) {
            before.insert(key.clone(), self.map.get(key).cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_since_the_memory_began_is_taken_back() {
        let mut map = Undoable::default();
        map.insert("kept", 1);
        map.insert("changed", 1);
        map.insert("removed", 1);
        map.remember();
        map.insert("added", 2);
        *map.or_default(&"changed") += 5;
        map.remove(&"removed");
        map.remove_all(|key| *key == "kept");
        map.take_back();
        let held = ["kept", "changed", "removed", "added"].map(|key| map.get(&key).copied());
        assert_eq!(held, [Some(1), Some(1), Some(1), None]);
        map.insert("added", 3);
        assert_eq!(map.get(&"added"), Some(&3), "after that it is a map as before");
    }
}
