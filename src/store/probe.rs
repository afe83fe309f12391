//! What a store can do, found out with real requests below `leases/@probe/`: no document says what a provider leaves out.
//!
//! Whether its conditional puts exclude anybody is `lease::probe`'s question.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use rand::distr::{Alphanumeric, SampleString};
use tokio::time::Instant;

use super::{Key, Store, StoreError};

/// One thing that was tried.
#[derive(Debug)]
pub struct Trial {
    /// What was tried.
    pub ability: Ability,
    /// How long it took, or why it does not work.
    pub outcome: Result<Duration, Shortcoming>,
}

/// What a store must be able to do, in the order in which it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Keep an object and give it back.
    Keep,
    /// List what it keeps.
    List,
    /// Keep an object that comes in parts, and give back a range of it.
    Parts,
    /// Tell of uploads that never ended, and remove them.
    Unfinished,
    /// Delete.
    Delete,
}

/// Why something does not work.
#[derive(Debug, thiserror::Error)]
pub enum Shortcoming {
    /// The store said so.
    #[error(transparent)]
    Refused(#[from] StoreError),
    /// It said that it had worked, and it had not.
    #[error("{0}")]
    Wrong(String),
}

/// Tries everything out and removes what was written.
pub async fn probe(store: &dyn Store) -> Vec<Trial> {
    let run = Alphanumeric.sample_string(&mut rand::rng(), 16);
    let key = |name: &str| -> Key {
        format!("leases/@probe/{run}-{name}").parse().expect("letters, digits and dashes make a key")
    };
    let (small, large, left) = (key("small"), key("large"), key("left"));
    let mut trials = Vec::new();
    let mut note = |ability, began: Instant, outcome: Result<(), Shortcoming>| {
        trials.push(Trial { ability, outcome: outcome.map(|()| began.elapsed()) });
    };
    let began = Instant::now();
    note(Ability::Keep, began, keep(store, &small).await);
    let began = Instant::now();
    note(Ability::List, began, list(store, &small).await);
    let began = Instant::now();
    note(Ability::Parts, began, parts(store, &large).await);
    let began = Instant::now();
    note(Ability::Unfinished, began, unfinished(store, &left).await);
    let began = Instant::now();
    note(Ability::Delete, began, delete(store, &[small, large]).await);
    trials
}

async fn keep(store: &dyn Store, key: &Key) -> Result<(), Shortcoming> {
    let body = Bytes::from(format!("probe of {key}"));
    store.create(key, body.clone()).await?;
    match store.fetch(key).await? {
        Some(found) if found.body == body => Ok(()),
        Some(_) => Err(wrong("it gives back other bytes than it was given")),
        None => Err(wrong("what was just written is not there")),
    }
}

async fn list(store: &dyn Store, key: &Key) -> Result<(), Shortcoming> {
    let folder: Key = "leases/@probe".parse().expect("a constant that is a valid key");
    debug_assert!(key.is_below(&folder));
    let listed = store.list(&folder).await?;
    let is_there = listed.iter().any(|object| object.key == *key);
    is_there.then_some(()).ok_or_else(|| wrong("what was just written is not listed"))
}

/// Two parts of the smallest size there is, and a range over their border.
async fn parts(store: &dyn Store, key: &Key) -> Result<(), Shortcoming> {
    let part_size = store.limits().min_part_size.max(1024);
    let upload = store.begin(key, part_size).await?;
    let put = async {
        upload.put_part(0, Bytes::from(vec![b'a'; part_size])).await?;
        upload.put_part(1, Bytes::from(vec![b'b'; 1024])).await?;
        upload.commit(2).await
    };
    if let Err(error) = put.await {
        let _ = upload.abort().await;
        return Err(error.into());
    }
    let size = part_size as u64 + 1024;
    match store.stat(key).await? {
        Some(found) if found.size == size => {}
        Some(found) => return Err(wrong(&format!("an object of {size} bytes in two parts has {} there", found.size))),
        None => return Err(wrong("an object that was put in parts is not there")),
    }
    let border = part_size as u64;
    let mut chunks = store.read(key, Some(border - 2..border + 2)).await?;
    let mut found = Vec::new();
    while let Some(chunk) = chunks.next().await {
        found.extend_from_slice(&chunk?);
    }
    if found == b"aabb" { Ok(()) } else { Err(wrong("a range over two parts has other bytes")) }
}

async fn unfinished(store: &dyn Store, key: &Key) -> Result<(), Shortcoming> {
    let part_size = store.limits().min_part_size.max(1024);
    let upload = store.begin(key, part_size).await?;
    let told = async {
        upload.put_part(0, Bytes::from(vec![b'a'; part_size])).await?;
        upload.put_part(1, Bytes::from(vec![b'b'; 1024])).await?;
        let of_ours = |uploads: Vec<super::UnfinishedUpload>| uploads.into_iter().find(|upload| upload.key == *key);
        let Some(left) = of_ours(store.unfinished_uploads(None).await?) else {
            return Err(wrong("it does not tell of an upload that is under way"));
        };
        store.abort_unfinished(&left).await?;
        match of_ours(store.unfinished_uploads(None).await?) {
            None => Ok(()),
            Some(_) => Err(wrong("an upload that was aborted is still there")),
        }
    };
    let told = told.await;
    let _ = upload.abort().await;
    told
}

async fn delete(store: &dyn Store, keys: &[Key]) -> Result<(), Shortcoming> {
    for key in keys {
        store.delete(key).await?;
        if store.stat(key).await?.is_some() {
            return Err(wrong("what was deleted is still there"));
        }
    }
    Ok(())
}

fn wrong(what: &str) -> Shortcoming {
    Shortcoming::Wrong(what.to_owned())
}
