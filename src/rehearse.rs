//! The rehearsal: pending migrations run on a restored copy of production, and what they did is measured, not guessed.

mod data;
mod error;
pub mod history;
pub mod inspect;
pub mod judge;
mod load;
mod loss;
pub mod measure;
mod meter;
pub mod plan;
pub mod record;
mod run;
mod schema;
pub mod stage;
mod trial;

pub use error::RehearseError;
