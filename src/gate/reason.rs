//! Why a gate is closed: stable codes, and the way out of each.

use std::fmt;

use serde::{Serialize, Serializer};

/// One reason to stay closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable, for scripts.
    pub code: Code,
    /// What is wrong with what.
    pub message: String,
    /// The way out.
    pub help: String,
}

macro_rules! codes {
    ($($variant:ident => $text:literal, $about:literal;)*) => {
        /// The stable codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $about] $variant),* }

        impl Code {
            /// All of them, with their names and what each means, for the guide.
            pub const ALL: &'static [(Self, &'static str, &'static str)] = &[$((Self::$variant, $text, $about)),*];
        }
    };
}

codes! {
    Finding => "finding", "The linter found something at or above `fail_on`.";
    NotApproved => "not-approved", "A finding that needs an approval has none.";
    ApprovalIncomplete => "approval-incomplete", "An approval lacks its owner or its expiry.";
    ApprovalExpired => "approval-expired", "An approval has expired.";
    ApprovalTooLong => "approval-too-long", "An approval expires later than `approval_max_term` allows.";
    ApproverUnknown => "approver-unknown", "The owner of an approval is not one of `approvers`.";
    StoreUnreachable => "store-unreachable", "The store did not answer, or refused.";
    NoRepository => "no-repository", "The store holds no repository.";
    SourceUnknown => "source-unknown", "Which source's backups count is not clear.";
    ClockSkew => "clock-skew", "This machine's clock and the store's do not agree within a minute.";
    NoBackup => "no-backup", "The source has no complete backup.";
    BackupUntrusted => "backup-untrusted", "The newest manifest was edited, is damaged, or belongs elsewhere.";
    BackupFromFuture => "backup-from-future", "The newest backup is dated later than now.";
    BackupTooOld => "backup-too-old", "The newest backup is older than `backup_max_age`.";
    NotProven => "not-proven", "No test restore has proven what must be proven.";
    ProofFailed => "proof-failed", "The newest test restore failed.";
    ProofFromFuture => "proof-from-future", "The newest evidence is dated later than now.";
    ProofExpired => "proof-expired", "The newest test restore is older than `proof_max_age`.";
    OtherDatabase => "other-database", "The backup is of another database than the one that was asked.";
    OtherSchema => "other-schema", "The backup is of another schema than the one that the migrations will change.";
    CheckoutBehind => "checkout-behind", "The database has run migrations that are not in this checkout.";
    SchemaUnknown => "schema-unknown", "Whether the backup is of this schema cannot be told, and the policy asks for it.";
    DatabaseUnreachable => "database-unreachable", "The database that was named could not be asked.";
    BackupRunning => "backup-running", "A backup of the source is running.";
    WindowTaken => "window-taken", "Somebody else's migration window is open.";
    WindowNotOpened => "window-not-opened", "The migration window could not be opened.";
    NotRehearsed => "not-rehearsed", "A finding that needs a rehearsal has none of these very files.";
    RehearsalFailed => "rehearsal-failed", "The newest rehearsal of these files failed.";
    RehearsalTooOld => "rehearsal-too-old", "The rehearsal of these files is older than `rehearsal_max_age`.";
    BackupFailed => "backup-failed", "The backup before the migrations could not be taken.";
}

impl Code {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(code, ..)| *code == self).map_or("", |(_, text, _)| text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Reason {
    /// A reason and its way out.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}
