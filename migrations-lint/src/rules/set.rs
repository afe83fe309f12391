//! The set as a whole: versions, order, downs, files.

pub(super) mod down;
pub(super) mod file;
pub(super) mod version;
