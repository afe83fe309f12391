//! What MySQL and MariaDB do differently.

pub(super) mod copy;
pub(super) mod implicit_commit;
