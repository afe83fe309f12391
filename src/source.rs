//! What can be dumped, loaded and compared.

pub mod postgres;
