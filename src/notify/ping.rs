//! Checks in the manner of healthchecks.io: the address alone is success, `/start` and `/fail` are its other ends. The check
//! raises the alarm itself when nothing comes.

use super::{Beat, NotifyError, Poster};
use crate::secret::Secret;

pub(super) async fn send(poster: &Poster, url: &Secret, beat: Beat) -> Result<(), NotifyError> {
    let end = match beat {
        Beat::Start => "/start",
        Beat::Success => "",
        Beat::Fail => "/fail",
    };
    // What stands behind a question mark stays behind it.
    let (path, query) = url.expose().split_once('?').map_or((url.expose(), ""), |(path, query)| (path, query));
    let mark = if query.is_empty() { "" } else { "?" };
    poster.touch(&format!("{}{end}{mark}{query}", path.trim_end_matches('/'))).await
}
