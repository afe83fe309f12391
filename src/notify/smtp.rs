//! Letters by SMTP.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{Notice, NotifyError};
use crate::secret::Secret;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who sends letters to whom, and through which server.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// `smtps://user:password@host`, `smtp://host:587?tls=required`.
    pub server: Secret,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

pub(super) async fn send(mailbox: &Mailbox, notice: &Notice) -> Result<(), NotifyError> {
    let letter = letter(mailbox, notice)?;
    // An address that cannot be read is not repeated: there is a password in it.
    let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(mailbox.server.expose())
        .map_err(|_| NotifyError::Mail("the address of the server is not smtp:// or smtps://".to_owned()))?;
    let server = server.timeout(Some(PATIENCE)).build();
    server.send(letter).await.map_err(|error| NotifyError::Mail(error.to_string()))?;
    Ok(())
}

fn letter(mailbox: &Mailbox, notice: &Notice) -> Result<Message, NotifyError> {
    let address = |text: &String| {
        text.parse().map_err(|error| NotifyError::Mail(format!("`{text}` is not an e-mail address: {error}")))
    };
    let subject = format!("[guard] {}: {}", notice.event, first_line(&notice.summary));
    let mut letter = Message::builder()
        .from(address(&mailbox.from)?)
        .date(notice.at.into())
        .subject(subject)
        .header(ContentType::TEXT_PLAIN);
    for recipient in &mailbox.to {
        letter = letter.to(address(recipient)?);
    }
    letter.body(notice.text()).map_err(|error| NotifyError::Mail(error.to_string()))
}

/// A line's end in a subject would begin another header.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
