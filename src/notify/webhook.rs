//! A webhook: the message as JSON, with a time and a signature by which the receiver knows the sender and the hour.
//!
//! The signature is HMAC-SHA256 over the time's digits, a dot and the body; an old message sent again has an old time.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Notice, NotifyError, Poster};
use crate::secret::Secret;

/// The header with the time, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-guard-timestamp";

/// The header with the signature: `sha256=` and hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-guard-signature";

/// The signature of a body sent at a time.
pub fn signature(key: &Secret, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

pub(super) async fn send(
    poster: &Poster,
    url: &Secret,
    key: Option<&Secret>,
    notice: &Notice,
) -> Result<(), NotifyError> {
    let body = Bytes::from(serde_json::to_vec(notice).expect("a notice has string keys"));
    let timestamp = notice.at.timestamp();
    let mut headers = vec![(TIMESTAMP_HEADER, timestamp.to_string())];
    headers.extend(key.map(|key| (SIGNATURE_HEADER, signature(key, timestamp, &body))));
    poster.post(url, &headers, body).await
}
