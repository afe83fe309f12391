//! What MySQL and MariaDB do differently.

pub(super) mod account;
mod algorithm;
mod column;
pub(super) mod copy;
pub(super) mod implicit_commit;
pub(super) mod lock_wait;
pub(super) mod modify;
pub(super) mod partition;
pub(super) mod refused;
pub(super) mod replace;
pub(super) mod storage;
pub(super) mod strict_mode;
pub(super) mod syntax;
