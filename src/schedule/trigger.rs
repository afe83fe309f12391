//! Wakes the daemon at an instant: the only file that knows tokio-cron-scheduler.
//!
//! The crate is a trigger and nothing more. It fixes a cron job's UTC offset when the job is made, can lose repeated jobs,
//! lets copies of a slow job overlap and returns from its shutdown while jobs run. So it is given one-shot jobs whose only
//! work is to send a message; a new one is armed after each. It counts in whole seconds and looks every 500 ms.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

/// How late the crate may be before its alarm is taken for lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// An alarm clock with one alarm.
pub struct Trigger {
    scheduler: JobScheduler,
}

/// The alarm clock does not work.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler failed: {0}")]
pub struct TriggerError(#[from] JobSchedulerError);

impl Trigger {
    /// Starts it, without an alarm.
    pub async fn start() -> Result<Self, TriggerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Waits until `at`; `now` is the time by the caller's clock. To be called again for the next time; dropping the future
    /// disarms it.
    pub async fn wait_until(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), TriggerError> {
        if at <= now {
            return Ok(());
        }
        let wait = whole_seconds(now, at);
        let (fire, mut fired) = mpsc::channel(1);
        let job = Job::new_one_shot(wait, move |_, _| {
            // A full channel has a message in it already.
            let _ = fire.try_send(());
        })?;
        // The crate must not be left while it adds a job: it would complain, and the job would stay. So a task of its own adds
        // it, and takes it back once nobody waits any more.
        let (scheduler, over) = (self.scheduler.clone(), CancellationToken::new());
        let waiting = over.clone().drop_guard();
        let mut armed = tokio::spawn(async move {
            let id = scheduler.add(job).await?;
            over.cancelled().await;
            scheduler.remove(&id).await
        });
        tokio::select! {
            fired = tokio::time::timeout(wait + PATIENCE, fired.recv()) => {
                if fired.is_err() {
                    tracing::warn!(due = %at, "the scheduler lost an alarm; going on without it");
                }
            }
            Ok(Err(refused)) = &mut armed => return Err(refused.into()),
        }
        drop(waiting);
        Ok(())
    }
}

/// What the crate is to wait so that it is never early: it cuts off the fraction of the second in which it begins, too.
fn whole_seconds(now: DateTime<Utc>, at: DateTime<Utc>) -> Duration {
    let end = at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0);
    Duration::from_secs(u64::try_from(end - now.timestamp()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Trigger, whole_seconds};

    #[test]
    fn whatever_fractions_are_cut_off_the_wait_is_neither_too_short_nor_a_second_too_long() {
        for (now_ms, wait_ms) in
            (0..1000).step_by(50).flat_map(|now| (0..3000).step_by(50).map(move |wait| (now, wait)))
        {
            let now = DateTime::from_timestamp_millis(1_700_000_000_000 + now_ms).unwrap();
            let at = now + TimeDelta::milliseconds(wait_ms);
            let begun = DateTime::from_timestamp(now.timestamp(), 0).unwrap();
            let late = begun + TimeDelta::from_std(whole_seconds(now, at)).unwrap() - at;
            assert!(late >= TimeDelta::zero() && late < TimeDelta::seconds(1), "{late} late: {now}, {at}");
        }
    }

    #[tokio::test]
    async fn it_wakes_at_its_time_and_never_before_again_and_again() {
        let trigger = Trigger::start().await.unwrap();
        for _ in 0..2 {
            let now = Utc::now();
            let at = now + TimeDelta::milliseconds(300);
            trigger.wait_until(at, now).await.unwrap();
            assert!(Utc::now() >= at);
        }
        let past = Utc::now() - TimeDelta::seconds(1);
        trigger.wait_until(past, Utc::now()).await.unwrap();
    }

    #[tokio::test]
    async fn an_alarm_that_was_given_up_does_not_disturb_the_next() {
        let trigger = Trigger::start().await.unwrap();
        let now = Utc::now();
        let far = now + TimeDelta::milliseconds(200);
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, trigger.wait_until(far, now)).await;
        assert!(given_up.is_err());
        let now = Utc::now();
        let at = now + TimeDelta::milliseconds(1500);
        trigger.wait_until(at, now).await.unwrap();
        assert!(Utc::now() >= at, "the first alarm fired for the second");
    }
}
