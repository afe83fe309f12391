//! Wakes the daemon at an instant: the only file that knows tokio-cron-scheduler.
//!
//! The crate is a trigger and nothing more. It fixes a cron job's UTC offset when the job is made, can lose repeated jobs,
//! lets copies of a slow job overlap and returns from its shutdown while jobs run. So it is given one-shot jobs whose only
//! work is to send a message; a new one is armed after each. It counts in whole seconds and looks every 500 ms.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// How late the crate may be before its alarm is taken for lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// An alarm clock with one alarm.
pub struct Trigger {
    scheduler: JobScheduler,
    fired: mpsc::Receiver<()>,
    fire: mpsc::Sender<()>,
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
        let (fire, fired) = mpsc::channel(1);
        Ok(Self { scheduler, fired, fire })
    }

    /// Waits until `at`; `now` is the time by the caller's clock. To be called again for the next time; dropping the future
    /// disarms it.
    pub async fn wait_until(&mut self, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), TriggerError> {
        let Ok(wait) = (at - now).to_std() else { return Ok(()) };
        // The crate cuts off fractions; rounded up, it is never early.
        let wait = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        while self.fired.try_recv().is_ok() {}
        let fire = self.fire.clone();
        let job = Job::new_one_shot(wait, move |_, _| {
            // A full channel has a message in it already.
            let _ = fire.try_send(());
        })?;
        let id = self.scheduler.add(job).await?;
        let scheduler = self.scheduler.clone();
        let disarm = Disarm(Some(Box::new(move || {
            tokio::spawn(async move { scheduler.remove(&id).await });
        })));
        if tokio::time::timeout(wait + PATIENCE, self.fired.recv()).await.is_err() {
            tracing::warn!(due = %at, "the scheduler lost an alarm; going on without it");
        }
        drop(disarm);
        Ok(())
    }
}

/// Takes an alarm back when nobody waits for it any more. The crate has no name of its own for a job's id.
struct Disarm(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Disarm {
    fn drop(&mut self) {
        if let Some(disarm) = self.0.take() {
            disarm();
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::Trigger;

    #[tokio::test]
    async fn it_wakes_at_its_time_and_never_before_again_and_again() {
        let mut trigger = Trigger::start().await.unwrap();
        for _ in 0..2 {
            let at = Utc::now() + TimeDelta::milliseconds(300);
            trigger.wait_until(at, Utc::now()).await.unwrap();
            assert!(Utc::now() >= at);
        }
        let past = Utc::now() - TimeDelta::seconds(1);
        trigger.wait_until(past, Utc::now()).await.unwrap();
    }

    #[tokio::test]
    async fn an_alarm_that_was_given_up_does_not_disturb_the_next() {
        let mut trigger = Trigger::start().await.unwrap();
        let far = Utc::now() + TimeDelta::milliseconds(200);
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, trigger.wait_until(far, Utc::now())).await;
        assert!(given_up.is_err());
        let at = Utc::now() + TimeDelta::milliseconds(1500);
        trigger.wait_until(at, Utc::now()).await.unwrap();
        assert!(Utc::now() >= at, "the first alarm fired for the second");
    }
}
