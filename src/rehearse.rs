//! The rehearsal: pending migrations run on a restored copy of production, and what they did is measured, not guessed.

pub mod measure;
pub mod record;
