//! What the program logs of itself, for whoever looks for a fault in it.

use crate::adapters::env;

/// Logs go to standard error, and only warnings unless `AUTODO_LOG` asks for more.
pub fn begin() {
    let filter = env::var("AUTODO_LOG").and_then(|v| v.into_string().ok()).unwrap_or_else(|| "warn".into());
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|_| "warn".into());
    // Ignored: it is set already where a test calls this twice.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init().ok();
}
