//! Puts the pieces together, and gives the front doors what they all need: requests to whoever holds the queue, new
//! tickets, views of the queue, and the long jobs dispatch and tick.

pub mod api;
pub mod batch;
pub mod bundle;
pub mod clean;
pub mod dispatch;
pub mod doctor;
pub mod error;
pub mod hold;
pub mod init;
pub mod intake;
pub mod notify;
pub mod open;
pub mod orphans;
pub mod profiles;
pub mod serve;
pub mod sources;
pub mod summary;
pub mod trim;
pub mod view;

pub use error::{AppError, Exit};
pub use open::App;
