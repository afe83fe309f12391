//! Trying again: a store around another that repeats what failed for a passing reason, within bounds.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::{ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits};

/// How often, how long apart and for how long in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most attempts at one operation, the first included.
    pub max_attempts: u32,
    /// The longest pause after the first failure; it doubles with each further one.
    pub base_pause: Duration,
    /// The longest pause ever.
    pub max_pause: Duration,
    /// No attempt begins later than this after the first.
    pub max_total: Duration,
}

impl Default for RetryPolicy {
    /// Rides out a provider's bad minutes, and gives up while somebody can still react.
    fn default() -> Self {
        Self {
            max_attempts: 10,
            base_pause: Duration::from_millis(200),
            max_pause: Duration::from_secs(20),
            max_total: Duration::from_mins(5),
        }
    }
}

/// A store whose operations are repeated, by a policy, when they fail with [`StoreError::Transient`].
///
/// A repetition never turns this writer's own success into a failure: a [`Store::create`] whose answer was lost finds
/// its own bytes and succeeds, and so does a [`Store::swap`]. Nor does it turn an open outcome into a refusal: see
/// [`StoreError::is_permanent`]. [`Store::read`] is repeated until the stream is open.
#[derive(Debug, Clone)]
pub struct Retrying {
    inner: Arc<dyn Store>,
    policy: RetryPolicy,
}

impl Retrying {
    /// Wraps a store.
    pub fn new(inner: Arc<dyn Store>, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }

    /// Whether an object holds exactly these bytes.
    async fn holds(&self, key: &Key, body: &Bytes) -> Result<bool, StoreError> {
        match self.inner.stat(key).await? {
            Some(found) if found.size == body.len() as u64 => {}
            _ => return Ok(false),
        }
        let stored = self.inner.read(key, None).await?;
        let stored = stored.try_fold(Vec::new(), |mut whole, chunk| async move {
            whole.extend_from_slice(&chunk);
            Ok(whole)
        });
        Ok(stored.await? == *body)
    }

    /// One attempt at a `create` that may be a repetition.
    async fn create_once(&self, key: &Key, body: &Bytes, is_first: bool) -> Result<(), StoreError> {
        match self.inner.create(key, body.clone()).await {
            // The attempt before may have succeeded and only its answer been lost. Whoever races others for a key puts
            // something of its own into the body, so equal bytes are its own.
            Err(exists @ StoreError::Exists { .. }) if !is_first => {
                if self.holds(key, body).await? {
                    Ok(())
                } else {
                    Err(exists)
                }
            }
            outcome => outcome,
        }
    }

    /// One attempt at a `swap` that may be a repetition.
    async fn swap_once(&self, key: &Key, tag: &Tag, body: &Bytes, is_first: bool) -> Result<Tag, StoreError> {
        match self.inner.swap(key, tag, body.clone()).await {
            Err(changed @ StoreError::Changed { .. }) if !is_first => match self.inner.fetch(key).await? {
                Some(found) if found.body == *body => Ok(found.tag),
                _ => Err(changed),
            },
            outcome => outcome,
        }
    }
}

#[async_trait]
impl Store for Retrying {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn limits(&self) -> UploadLimits {
        self.inner.limits()
    }

    fn without_retries(&self) -> Option<&dyn Store> {
        Some(&*self.inner)
    }

    async fn create(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        let (this, body) = (self, &body);
        let mut is_repetition = false;
        let attempt = |attempt_idx| {
            is_repetition = attempt_idx > 0;
            this.create_once(key, body, attempt_idx == 0)
        };
        match self.policy.run(attempt).await {
            // What refuses the repetition says nothing of the attempt before it, whose answer is still out.
            Err(error) if is_repetition && error.is_permanent() && !matches!(error, StoreError::Exists { .. }) => {
                Err(StoreError::Transient {
                    location: self.location(),
                    attempt: format!("creating {key}"),
                    reason: format!("{error}; whether it was created by an attempt before is not known"),
                })
            }
            outcome => outcome,
        }
    }

    async fn replace(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.replace(key, body.clone())).await
    }

    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        self.policy.run(|_| self.inner.fetch(key)).await
    }

    async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        let (this, body) = (self, &body);
        self.policy.run(|attempt_idx| this.swap_once(key, tag, body, attempt_idx == 0)).await
    }

    async fn begin(&self, key: &Key, part_size: usize) -> Result<Box<dyn Upload>, StoreError> {
        let inner = self.policy.run(|_| self.inner.begin(key, part_size)).await?;
        Ok(Box::new(RetryingUpload { inner, policy: self.policy }))
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        self.policy.run(|_| self.inner.read(key, range.clone())).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        self.policy.run(|_| self.inner.stat(key)).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        self.policy.run(|_| self.inner.list(prefix)).await
    }

    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        self.policy.run(|_| self.inner.list_folders(prefix)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.delete(key)).await
    }

    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        self.policy.run(|_| self.inner.unfinished_uploads(prefix)).await
    }

    async fn abort_unfinished(&self, upload: &UnfinishedUpload) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.abort_unfinished(upload)).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.policy.run(|_| self.inner.keeps_versions()).await
    }

    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        self.policy.run(|_| self.inner.clock()).await
    }
}

struct RetryingUpload {
    inner: Box<dyn Upload>,
    policy: RetryPolicy,
}

impl fmt::Debug for RetryingUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Upload for RetryingUpload {
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.put_part(part_idx, body.clone())).await
    }

    async fn commit(&self, n_parts: u32) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.commit(n_parts)).await
    }

    async fn abort(&self) -> Result<(), StoreError> {
        self.policy.run(|_| self.inner.abort()).await
    }
}

impl RetryPolicy {
    /// Runs `attempt` (told its number, from 0) until it succeeds, fails for good, or the bounds are reached.
    async fn run<T, F>(&self, mut attempt: impl FnMut(u32) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let begun = Instant::now();
        for attempt_idx in 0.. {
            let error = match attempt(attempt_idx).await {
                Err(error) if !error.is_permanent() => error,
                outcome => return outcome,
            };
            let pause = self.pause(attempt_idx);
            if attempt_idx + 1 >= self.max_attempts || begun.elapsed() + pause > self.max_total {
                return Err(given_up(error, attempt_idx + 1));
            }
            tracing::warn!(%error, attempt = attempt_idx + 1, ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
        unreachable!("the loop over all attempts ends by returning")
    }

    /// Full jitter: anything up to the bound, so that many clients do not come back in step.
    fn pause(&self, attempt_idx: u32) -> Duration {
        let bound = self.base_pause.saturating_mul(1 << attempt_idx.min(20)).min(self.max_pause);
        bound.mul_f64(rand::random())
    }
}

fn given_up(error: StoreError, n_attempts: u32) -> StoreError {
    match error {
        StoreError::Transient { location, attempt, reason } if n_attempts > 1 => StoreError::Transient {
            location,
            attempt,
            reason: format!("{reason}; given up after {n_attempts} attempts"),
        },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;

    use super::{RetryPolicy, Retrying};
    use crate::store::{Fault, Faulty, FsStore, Key, Operation, Store, StoreError};

    const QUICK: RetryPolicy = RetryPolicy {
        max_attempts: 4,
        base_pause: Duration::from_micros(10),
        max_pause: Duration::from_micros(40),
        max_total: Duration::from_mins(1),
    };

    fn store() -> (tempfile::TempDir, Arc<Faulty>, Retrying) {
        let dir = tempfile::tempdir().unwrap();
        let faulty = Arc::new(Faulty::new(Arc::new(FsStore::open(dir.path()).unwrap())));
        let retrying = Retrying::new(Arc::clone(&faulty) as Arc<dyn Store>, QUICK);
        (dir, faulty, retrying)
    }

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn passing_faults_are_ridden_out_within_the_bound_of_attempts() {
        let (_dir, faulty, store) = store();
        for call_idx in 0..3 {
            faulty.fail(Operation::Create, call_idx, Fault::Transient);
        }
        store.create(&key("a"), Bytes::from("x")).await.unwrap();
        for call_idx in 0..4 {
            faulty.fail(Operation::Stat, call_idx, Fault::Transient);
        }
        let error = store.stat(&key("a")).await.unwrap_err();
        assert!(error.to_string().contains("given up after 4 attempts"), "{error}");
    }

    #[tokio::test]
    async fn a_permanent_error_is_reported_at_once() {
        let (_dir, faulty, store) = store();
        faulty.fail(Operation::Stat, 0, Fault::Permanent);
        assert!(matches!(store.stat(&key("a")).await, Err(StoreError::Permanent { .. })));
        assert_eq!(faulty.calls(Operation::Stat), 1);
    }

    #[tokio::test]
    async fn a_create_whose_answer_was_lost_is_a_success() {
        let (_dir, faulty, store) = store();
        faulty.fail(Operation::Create, 0, Fault::LostAnswer);
        store.create(&key("lease"), Bytes::from("mine")).await.unwrap();
    }

    #[tokio::test]
    async fn a_create_that_somebody_else_won_is_not_taken_for_ones_own() {
        let (_dir, faulty, store) = store();
        store.create(&key("lease"), Bytes::from("hers")).await.unwrap();
        faulty.fail(Operation::Create, 1, Fault::Transient);
        let error = store.create(&key("lease"), Bytes::from("mine")).await.unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error}");
        let error = store.create(&key("lease"), Bytes::from("hers")).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Exists { .. }),
            "equal bytes at the first attempt were there before: {error}"
        );
    }

    #[tokio::test]
    async fn a_swap_whose_answer_was_lost_is_a_success_and_anothers_is_not() {
        let (_dir, faulty, store) = store();
        store.create(&key("lease"), Bytes::from("one")).await.unwrap();
        let tag = store.fetch(&key("lease")).await.unwrap().unwrap().tag;
        faulty.fail(Operation::Swap, 0, Fault::LostAnswer);
        let next = store.swap(&key("lease"), &tag, Bytes::from("two")).await.unwrap();
        assert_eq!(store.fetch(&key("lease")).await.unwrap().unwrap().tag, next);
        faulty.fail(Operation::Swap, 2, Fault::Transient);
        let error = store.swap(&key("lease"), &tag, Bytes::from("three")).await.unwrap_err();
        assert!(matches!(error, StoreError::Changed { .. }), "{error}");
    }

    #[test]
    fn pauses_grow_up_to_their_bound() {
        let policy = RetryPolicy::default();
        for attempt_idx in 0..64 {
            assert!(policy.pause(attempt_idx) <= policy.max_pause);
            assert!(policy.pause(0) <= policy.base_pause);
        }
    }
}
