//! Settings in layers: built-in, then the user's file, the project's file, `AUTODO_*` variables and flags, each value
//! with its origin.
//!
//! Everything here is pure: it takes texts and pairs, and touches neither files nor the environment. One table
//! ([`settings`]) says for every setting its name, type, default and meaning; reading, the variables' names, the
//! listing of `autodo config` and the reference page all come from it.

pub mod layer;
pub mod problem;
pub mod propose;
pub mod reference;
pub mod settings;
pub mod value;

pub use layer::{FileLayer, Flag, Layer, Origin};
pub use problem::ConfigProblem;
pub use propose::{project_file, propose_checks};
pub use settings::{Entry, Settings, Sourced};
pub use value::{Kind, Seconds, Value};
