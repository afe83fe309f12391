//! A store that fails on demand, for tests of whatever stands on a store: chosen calls, or a seeded share of all calls.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

use super::{ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits};

/// What can be made to fail. One operation's calls are counted over all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the method of its name")]
pub enum Operation {
    Create,
    Replace,
    Fetch,
    Swap,
    Begin,
    PutPart,
    Commit,
    Abort,
    Read,
    Stat,
    List,
    ListFolders,
    Delete,
    UnfinishedUploads,
    AbortUnfinished,
    Clock,
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails with [`StoreError::Transient`] and is not carried out.
    Transient,
    /// It fails with [`StoreError::Permanent`] and is not carried out.
    Permanent,
    /// It fails with [`StoreError::Denied`] and is not carried out.
    Denied,
    /// It fails with [`StoreError::Full`] and is not carried out.
    Full,
    /// It is carried out, and then fails with [`StoreError::Transient`] as if the answer were lost.
    LostAnswer,
    /// It waits until notified, and is then carried out.
    Park(Arc<Notify>),
    /// It takes longer by so much.
    Delay(Duration),
}

/// A store around another that injects faults.
#[derive(Debug, Clone)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Arc<Plan>,
}

impl Faulty {
    /// Wraps a store; nothing fails yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// From now on a share of all calls (0.0 to 1.0) fails, half of them not carried out and half with a lost answer. The
    /// same seed and the same sequence of calls give the same faults.
    pub fn fail_randomly(&self, seed: u64, share: f64) {
        self.plan.state().random = Some((StdRng::seed_from_u64(seed), share));
    }

    /// Has the call number `call_idx` (from 0, counted since the store was made) of an operation meet a fault.
    pub fn fail(&self, operation: Operation, call_idx: u64, fault: Fault) {
        self.plan.state().chosen.insert((operation, call_idx), fault);
    }

    /// From now on the store's clock shows this.
    pub fn set_clock(&self, now: DateTime<Utc>) {
        self.plan.state().clock = Some(now);
    }

    /// How often an operation has been called.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.plan.state().calls.get(&operation).copied().unwrap_or(0)
    }
}

#[derive(Debug, Default)]
struct Plan {
    state: Mutex<PlanState>,
}

#[derive(Debug, Default)]
struct PlanState {
    calls: HashMap<Operation, u64>,
    chosen: HashMap<(Operation, u64), Fault>,
    random: Option<(StdRng, f64)>,
    clock: Option<DateTime<Utc>>,
}

impl Plan {
    fn state(&self) -> MutexGuard<'_, PlanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self, operation: Operation) -> Option<Fault> {
        let mut state = self.state();
        let calls = state.calls.entry(operation).or_default();
        let call_idx = *calls;
        *calls += 1;
        state.chosen.remove(&(operation, call_idx)).or_else(|| {
            let (rng, share) = state.random.as_mut()?;
            let fault = if rng.random_bool(0.5) { Fault::Transient } else { Fault::LostAnswer };
            rng.random_bool(*share).then_some(fault)
        })
    }

    /// Carries out a call as its fault, if any, has it.
    async fn meet<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let location = "a faulty store".to_owned();
        let attempt = format!("{operation:?}");
        let reason = "injected fault".to_owned();
        match self.next_fault(operation) {
            None => {}
            Some(Fault::Park(notify)) => notify.notified().await,
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::Transient) => return Err(StoreError::Transient { location, attempt, reason }),
            Some(Fault::Permanent) => return Err(StoreError::Permanent { location, attempt, reason }),
            Some(Fault::Denied) => return Err(StoreError::Denied { location, attempt, reason }),
            Some(Fault::Full) => return Err(StoreError::Full { location, attempt }),
            Some(Fault::LostAnswer) => {
                call.await?;
                return Err(StoreError::Transient { location, attempt, reason });
            }
        }
        call.await
    }
}

#[async_trait]
impl Store for Faulty {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn limits(&self) -> UploadLimits {
        self.inner.limits()
    }

    async fn create(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        self.plan.meet(Operation::Create, self.inner.create(key, body)).await
    }

    async fn replace(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        self.plan.meet(Operation::Replace, self.inner.replace(key, body)).await
    }

    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        self.plan.meet(Operation::Fetch, self.inner.fetch(key)).await
    }

    async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        self.plan.meet(Operation::Swap, self.inner.swap(key, tag, body)).await
    }

    async fn begin(&self, key: &Key, part_size: usize) -> Result<Box<dyn Upload>, StoreError> {
        let inner = self.plan.meet(Operation::Begin, self.inner.begin(key, part_size)).await?;
        Ok(Box::new(FaultyUpload { inner, plan: Arc::clone(&self.plan) }))
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        self.plan.meet(Operation::Read, self.inner.read(key, range)).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        self.plan.meet(Operation::Stat, self.inner.stat(key)).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        self.plan.meet(Operation::List, self.inner.list(prefix)).await
    }

    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        self.plan.meet(Operation::ListFolders, self.inner.list_folders(prefix)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.plan.meet(Operation::Delete, self.inner.delete(key)).await
    }

    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        self.plan.meet(Operation::UnfinishedUploads, self.inner.unfinished_uploads(prefix)).await
    }

    async fn abort_unfinished(&self, upload: &UnfinishedUpload) -> Result<(), StoreError> {
        self.plan.meet(Operation::AbortUnfinished, self.inner.abort_unfinished(upload)).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.inner.keeps_versions().await
    }

    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        let shown = self.plan.state().clock;
        let clock = async { if let Some(now) = shown { Ok(now) } else { self.inner.clock().await } };
        self.plan.meet(Operation::Clock, clock).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn Upload>,
    plan: Arc<Plan>,
}

#[async_trait]
impl Upload for FaultyUpload {
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        self.plan.meet(Operation::PutPart, self.inner.put_part(part_idx, body)).await
    }

    async fn commit(&self, n_parts: u32) -> Result<(), StoreError> {
        self.plan.meet(Operation::Commit, self.inner.commit(n_parts)).await
    }

    async fn abort(&self) -> Result<(), StoreError> {
        self.plan.meet(Operation::Abort, self.inner.abort()).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::sync::Notify;

    use super::{Fault, Faulty, Operation};
    use crate::store::{FsStore, Store};

    fn store() -> (tempfile::TempDir, Faulty) {
        let dir = tempfile::tempdir().unwrap();
        let inner = Arc::new(FsStore::open(dir.path()).unwrap());
        (dir, Faulty::new(inner))
    }

    #[tokio::test]
    async fn the_same_seed_gives_the_same_faults() {
        let mut histories = Vec::new();
        for _ in 0..2 {
            let (_dir, store) = store();
            store.fail_randomly(7, 0.3);
            let mut history = Vec::new();
            for _ in 0..50 {
                history.push(store.replace(&"a".parse().unwrap(), Bytes::from("x")).await.is_ok());
            }
            assert!(history.contains(&true) && history.contains(&false), "{history:?}");
            histories.push(history);
        }
        assert_eq!(histories[0], histories[1]);
    }

    #[tokio::test]
    async fn a_parked_call_goes_on_when_notified() {
        let (_dir, store) = store();
        let (notify, key) = (Arc::new(Notify::new()), "a".parse().unwrap());
        store.fail(Operation::Create, 0, Fault::Park(Arc::clone(&notify)));
        let create = store.create(&key, Bytes::from("x"));
        let release = async {
            assert_eq!(store.stat(&key).await.unwrap(), None);
            notify.notify_one();
        };
        let (created, ()) = futures_util::join!(create, release);
        created.unwrap();
        assert!(store.stat(&key).await.unwrap().is_some());
    }
}
