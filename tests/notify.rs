//! Notifications, received for real: an HTTP server that checks the signature, a mail server, a program; receivers that are
//! down for a while, that refuse for good, and addresses that must never be seen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use chrono::DateTime;
use guard::notify::{Beat, Channel, Event, Mailbox, Notice, Notifier, Persistence, Receiver, signature};
use guard::secret::Secret;
use support::guard::Guard;
use support::process::write_program;
use support::receiver::{HttpReceiver, MailReceiver};

/// Does not wait long between attempts.
const QUICK: Persistence = Persistence { attempts: 4, pause: Duration::from_millis(1) };

/// How long the last attempts may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn notice(event: Event) -> Notice {
    Notice {
        event,
        at: DateTime::parse_from_rfc3339("2026-11-21T02:00:05Z").unwrap().to_utc(),
        source: Some("orders".to_owned()),
        job: Some("backup".to_owned()),
        run: Some("1f2e3d4c".to_owned()),
        host: "db-1".to_owned(),
        summary: "orders: the backup failed: <!channel> & \"quotes\"".to_owned(),
        details: BTreeMap::from([("code".to_owned(), "source-failed".to_owned())]),
    }
}

fn receiver(channel: Channel) -> Receiver {
    Receiver { name: "ops".to_owned(), on: Event::ALL.into(), sources: vec!["*".to_owned()], channel }
}

fn webhook(url: &str, key: Option<&str>) -> Channel {
    Channel::Webhook { url: Secret::new(url), key: key.map(Secret::new) }
}

/// Tells one notice to these receivers and waits until everything is delivered or given up.
async fn tell(receivers: Vec<Receiver>, notice: Notice) {
    let notifier = Notifier::new(receivers, QUICK).unwrap();
    notifier.tell(notice);
    notifier.finish(PATIENCE).await;
}

/// HMAC-SHA256 written out from RFC 2104, so that guard's is not compared with itself.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_time_and_its_body() {
    let http = HttpReceiver::start();
    tell(vec![receiver(webhook(&http.url("/hook?token=t0ken"), Some("k3y")))], notice(Event::Failure)).await;
    let received = http.received();
    assert_eq!(received.len(), 1, "{received:?}");
    let [request] = &received[..] else { unreachable!() };
    let timestamp = &request.headers["x-guard-timestamp"];
    assert_eq!(timestamp, "1795226405");
    let message = [timestamp.as_bytes(), b".", &request.body].concat();
    assert_eq!(request.headers["x-guard-signature"], format!("sha256={}", hmac_sha256(b"k3y", &message)));
    let json = request.json();
    assert_eq!(json["event"], "failure");
    assert_eq!(json["source"], "orders");
    assert_eq!(json["run"], "1f2e3d4c");
    assert_eq!(json["details"]["code"], "source-failed");
    assert_eq!(json["at"], "2026-11-21T02:00:05Z");
}

#[test]
fn a_signature_depends_on_the_key_the_time_and_the_body() {
    let key = Secret::new("key");
    let signed = signature(&key, 1, b"body");
    assert_eq!(signed, format!("sha256={}", hmac_sha256(b"key", b"1.body")));
    for other in [signature(&Secret::new("kez"), 1, b"body"), signature(&key, 2, b"body"), signature(&key, 1, b"bodz")]
    {
        assert_ne!(signed, other);
    }
}

#[tokio::test]
async fn slack_gets_a_text_that_cannot_call_everybody() {
    let http = HttpReceiver::start();
    tell(vec![receiver(Channel::Slack { url: Secret::new(http.url("/slack")) })], notice(Event::Alarm)).await;
    let text = http.notices()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("orders: the backup failed: &lt;!channel&gt; &amp;"), "{text}");
    assert!(!text.contains("<!channel>"), "{text}");
}

#[tokio::test]
async fn a_backup_pings_its_check_at_its_start_its_success_and_its_failure() {
    let http = HttpReceiver::start();
    let ping = receiver(Channel::Ping { url: Secret::new(http.url("/check/uuid?create=1")) });
    for (beat, path) in [
        (Beat::Start, "/check/uuid/start?create=1"),
        (Beat::Success, "/check/uuid?create=1"),
        (Beat::Fail, "/check/uuid/fail?create=1"),
    ] {
        let notifier = Notifier::new(vec![ping.clone()], QUICK).unwrap();
        notifier.beat("orders", beat);
        notifier.finish(PATIENCE).await;
        assert_eq!(http.received().last().unwrap().path, path);
    }
    // Messages are none of its business, nor are other sources.
    let only_cache = Receiver { sources: vec!["cache".to_owned()], ..ping };
    let notifier = Notifier::new(vec![only_cache], QUICK).unwrap();
    notifier.beat("orders", Beat::Start);
    notifier.tell(notice(Event::Failure));
    notifier.finish(PATIENCE).await;
    assert_eq!(http.received().len(), 3);
}

#[tokio::test]
async fn a_heartbeat_is_given_when_it_is_due() {
    let http = HttpReceiver::start();
    let every = Duration::from_secs(300);
    let heart = receiver(Channel::Heartbeat { url: Secret::new(http.url("/alive")), every });
    let notifier = Notifier::new(vec![heart], QUICK).unwrap();
    assert_eq!(notifier.heartbeat_every(), Some(every));
    notifier.heartbeat(Duration::from_secs(299));
    notifier.finish(PATIENCE).await;
    assert_eq!(http.received().len(), 0);
    notifier.heartbeat(every);
    notifier.finish(PATIENCE).await;
    assert_eq!(http.received()[0].path, "/alive");
}

#[tokio::test]
async fn a_letter_arrives_with_a_subject_of_one_line() {
    let mail = MailReceiver::start();
    let mailbox = Mailbox {
        server: Secret::new(format!("smtp://robot:s3cret@{}", mail.addr())),
        from: "guard <guard@example.com>".to_owned(),
        to: vec!["ops@example.com".to_owned(), "dba@example.com".to_owned()],
    };
    let mut notice = notice(Event::Failure);
    notice.summary = "the backup failed\r\nBcc: everybody@example.com".to_owned();
    tell(vec![receiver(Channel::Email(mailbox))], notice).await;
    let letters = mail.letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert!(letter.login.starts_with("AUTH PLAIN "), "{letter:?}");
    assert!(letter.from.contains("guard@example.com") && letter.to.len() == 2, "{letter:?}");
    let (header, text) = letter.text.split_once("\n\n").unwrap();
    assert!(header.contains("Subject: [guard] failure: the backup failed"), "{header}");
    assert!(!header.contains("Bcc"), "{header}");
    assert!(text.contains("code: source-failed") && text.contains("run 1f2e3d4c"), "{text}");
}

#[tokio::test]
async fn a_program_reads_the_message_on_its_input() {
    let dir = tempfile::tempdir().unwrap();
    let (script, copy) = (dir.path().join("tell"), dir.path().join("copy.json"));
    write_program(&script, &format!("#!/bin/sh\ncat > {}\n", copy.display()));
    let words = vec![script.display().to_string()];
    tell(vec![receiver(Channel::Program { words })], notice(Event::Proof)).await;
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&copy).unwrap()).unwrap();
    assert_eq!(json["event"], "proof");
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_while_gets_the_message_once() {
    let http = HttpReceiver::start();
    http.refuse(&[503, 429, 500]);
    tell(vec![receiver(webhook(&http.url("/"), None))], notice(Event::Failure)).await;
    assert_eq!(http.received().len(), 4, "three refusals and a success");
    assert!(!http.received()[0].headers.contains_key("x-guard-signature"), "nothing to sign with");
}

#[tokio::test]
async fn a_receiver_that_says_no_is_not_asked_again() {
    let http = HttpReceiver::start();
    http.refuse(&[404, 404, 404, 404]);
    tell(vec![receiver(webhook(&http.url("/"), None))], notice(Event::Failure)).await;
    assert_eq!(http.received().len(), 1);
}

#[tokio::test]
async fn everybody_hears_only_what_they_want_to() {
    let http = HttpReceiver::start();
    let wants = |path: &str, on: &[Event], sources: &[&str]| Receiver {
        name: path.to_owned(),
        on: on.iter().copied().collect(),
        sources: sources.iter().map(ToString::to_string).collect(),
        channel: webhook(&http.url(path), None),
    };
    let receivers = vec![
        wants("/all", &Event::ALL, &["*"]),
        wants("/proofs", &[Event::Proof], &["*"]),
        wants("/cache", &Event::ALL, &["cache"]),
        wants("/orders", &Event::ALL, &["cache", "orders"]),
    ];
    tell(receivers.clone(), notice(Event::Failure)).await;
    let mut paths: Vec<String> = http.received().into_iter().map(|received| received.path).collect();
    paths.sort();
    assert_eq!(paths, ["/all", "/orders"]);
    // What is about no source is about everybody.
    tell(receivers, Notice { source: None, ..notice(Event::Failure) }).await;
    assert_eq!(http.received().len(), 5);
}

#[tokio::test]
async fn no_error_shows_an_address() {
    let unreachable = "http://127.0.0.1:1/services/T0PS3CRET";
    let receivers = vec![
        receiver(webhook(unreachable, None)),
        receiver(Channel::Slack { url: Secret::new(unreachable) }),
        receiver(Channel::Ping { url: Secret::new("not an address T0PS3CRET") }),
        receiver(Channel::Email(Mailbox {
            server: Secret::new("smtp://robot:T0PS3CRET@127.0.0.1:1"),
            from: "guard@example.com".to_owned(),
            to: vec!["ops@example.com".to_owned()],
        })),
        receiver(Channel::Email(Mailbox {
            server: Secret::new("imap://robot:T0PS3CRET@127.0.0.1"),
            from: "guard@example.com".to_owned(),
            to: vec!["ops@example.com".to_owned()],
        })),
    ];
    let n_receivers = receivers.len();
    let notifier = Notifier::new(receivers, QUICK).unwrap();
    let outcomes = notifier.test(&notice(Event::Failure)).await;
    assert_eq!(outcomes.len(), n_receivers);
    for (name, outcome) in outcomes {
        let error = outcome.expect_err(&name);
        assert!(!format!("{error} {error:?}").contains("T0PS3CRET"), "{error:?}");
    }
}

#[test]
fn notify_test_says_who_was_reached() {
    let http = HttpReceiver::start();
    let guard = Guard::configured(
        "[notify.ops]\nwebhook = { env = \"HOOK\" }\nprogram = [\"/nonexistent/tell\"]\n[notify.check]\nping = { env = \"PING\" }\n",
    )
    .with("HOOK", &http.url("/h00k"))
    .with("PING", &http.url("/p1ng"))
    .with("GUARD_STORE_URL", "/nonexistent/never/touched")
    .with_secret("h00k")
    .with_secret("p1ng");
    let answer = guard.json(&["notify", "test"]).no();
    let delivered = |name: &str| {
        let receivers = answer["receivers"].as_array().unwrap();
        receivers.iter().find(|receiver| receiver["receiver"] == name).unwrap()["delivered"].as_bool().unwrap()
    };
    assert!(delivered("ops (webhook)") && delivered("check (ping)") && !delivered("ops (program)"), "{answer}");
    let mut paths: Vec<String> = http.received().into_iter().map(|received| received.path).collect();
    paths.sort();
    assert_eq!(paths, ["/h00k", "/p1ng"]);
    Guard::default().json(&["notify", "test"]).error(2, "usage");
}
