//! Slack's incoming webhooks, and what is compatible with them (Mattermost, Rocket.Chat, Discord's `/slack`).

use bytes::Bytes;
use serde_json::json;

use super::{Event, Notice, NotifyError, Poster};
use crate::secret::Secret;

pub(super) async fn send(poster: &Poster, url: &Secret, notice: &Notice) -> Result<(), NotifyError> {
    let sign = match notice.event {
        Event::Failure | Event::Alarm | Event::Rpo => ":rotating_light:",
        Event::Recovery => ":white_check_mark:",
        Event::Proof => ":mag:",
    };
    let body = json!({ "text": format!("{sign} {}", escaped(&notice.text())) });
    poster.post(url, &[], Bytes::from(body.to_string())).await
}

/// The three characters that Slack reads as markup: a table's name must not be able to call everybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
