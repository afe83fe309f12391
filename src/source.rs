//! What can be dumped, loaded and compared: the kinds of source.

pub mod postgres;
