//! From the shape of `[run]`, `[http]` and `[notify.NAME]` to what the daemon uses.

use std::collections::BTreeSet;

use super::super::file::{HttpFile, NotifyFile, RunFile};
use super::super::{Http, Notify, Run, Way};
use super::Problems;

pub(super) fn convert_run(file: &RunFile, problems: &mut Problems<'_>) -> Option<Run> {
    let RunFile { parallel, stop_patience, lease_ttl } = *file;
    if lease_ttl.0.as_secs() < 2 {
        problems.add(&["run", "lease_ttl"], format!("{lease_ttl} is too short"), "a lease lasts at least 2s");
    }
    let parallel = problems.count(&["run", "parallel"], Some(parallel), 1..=64)?;
    Some(Run { parallel, stop_patience: stop_patience.0, lease_ttl: lease_ttl.0 })
}

pub(super) fn convert_http(file: HttpFile, problems: &mut Problems<'_>) -> Http {
    let HttpFile { listen, token } = file;
    let token = problems.secret(&["http", "token"], token);
    if listen.is_empty() {
        return Http { listen: None, token };
    }
    let address = listen.parse().map_err(|_| {
        let help = "write an address and a port, such as \"127.0.0.1:8432\", \"0.0.0.0:8432\" or \"[::]:8432\"";
        problems.add(&["http", "listen"], format!("`{listen}` is not an address with a port"), help);
    });
    Http { listen: address.ok(), token }
}

pub(super) fn convert_notify(name: &str, file: NotifyFile, problems: &mut Problems<'_>) -> Notify {
    let NotifyFile {
        webhook,
        webhook_key,
        slack,
        ping,
        heartbeat,
        heartbeat_every,
        smtp,
        from,
        to,
        program,
        on,
        sources,
    } = file;
    let path = |key: &'static str| ["notify", name, key];
    let mut ways = Vec::new();
    let key = problems.secret(&path("webhook_key"), webhook_key);
    if key.is_some() && webhook.is_none() {
        problems.add(&path("webhook_key"), "there is no webhook to sign", "add webhook = { env = \"NAME\" }");
    }
    let webhook = problems.secret(&path("webhook"), webhook);
    ways.extend(webhook.map(|url| Way::Webhook { url, key }));
    ways.extend(problems.secret(&path("slack"), slack).map(|url| Way::Slack { url }));
    ways.extend(problems.secret(&path("ping"), ping).map(|url| Way::Ping { url }));
    let every = heartbeat_every.0;
    ways.extend(problems.secret(&path("heartbeat"), heartbeat).map(|url| Way::Heartbeat { url, every }));
    if let Some(server) = problems.secret(&path("smtp"), smtp) {
        match from {
            Some(from) if !to.is_empty() => ways.push(Way::Email { server, from, to }),
            _ => problems.add(
                &path("smtp"),
                "e-mails need a sender and recipients",
                "add from = \"guard@example.com\" and to = [\"ops@example.com\"]",
            ),
        }
    }
    if !program.is_empty() {
        ways.push(Way::Program { words: program });
    }
    if ways.is_empty() {
        let help = "add webhook, slack, ping, heartbeat, smtp or program";
        problems.add(&["notify", name], "it names no way to tell anybody", help);
    }
    Notify { ways, on: on.into_iter().collect::<BTreeSet<_>>(), sources }
}
