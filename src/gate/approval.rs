//! Who signed for a finding, and until when: `-- guard:ignore drop-column -- unread since 4.1 owner=ann expires=2026-12-31`.

use chrono::NaiveDate;
use serde::Serialize;

/// What a suppression's reason says about responsibility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Who answers for it.
    pub owner: Option<String>,
    /// The first day on which it no longer counts.
    pub expires: Option<NaiveDate>,
    /// The word behind `expires=` that is no day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_a_day: Option<String>,
    /// The reason as it is written.
    pub reason: String,
}

impl Approval {
    /// Reads `owner=NAME` and `expires=YYYY-MM-DD`, anywhere in the reason.
    pub fn read(reason: &str) -> Self {
        let mut approval = Self { reason: reason.to_owned(), ..Self::default() };
        for word in reason.split(|c: char| c.is_whitespace() || ",;()".contains(c)) {
            let Some((key, value)) = word.split_once('=') else { continue };
            match (key, value.trim_end_matches('.')) {
                (_, "") => {}
                ("owner", owner) => approval.owner = Some(owner.to_owned()),
                ("expires", day) => match day.parse() {
                    Ok(day) => approval.expires = Some(day),
                    Err(_) => approval.not_a_day = Some(day.to_owned()),
                },
                _ => {}
            }
        }
        approval
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::Approval;

    #[test]
    fn owner_and_expiry_are_read_from_anywhere_in_a_reason() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 31);
        let check = |reason: &str, owner: Option<&str>, expires| {
            let approval = Approval::read(reason);
            assert_eq!((approval.owner.as_deref(), approval.expires), (owner, expires), "{reason}");
        };
        check("unread since 4.1 owner=ann expires=2026-12-31", Some("ann"), day);
        check("(owner=ann@acme.example, expires=2026-12-31) unread", Some("ann@acme.example"), day);
        check("owner=ann. expires=2026-12-31.", Some("ann"), day);
        check("expires=soon owner=", None, None);
        check("ann says so", None, None);
        assert_eq!(Approval::read("expires=2026-13-01").not_a_day.as_deref(), Some("2026-13-01"));
    }
}
