//! The badge on the terminal that a dispatch was typed in: its title, and its bell.

use std::io::{IsTerminal, Write};

use crate::{adapters::env, format::harmless::plain, ports::notifier::Badge};

/// Keeps the title that the terminal has, and brings it back (xterm's ctlseqs, CSI 22 ; 2 t and CSI 23 ; 2 t).
const KEEP: &str = "\u{1b}[22;2t";
const BRING_BACK: &str = "\u{1b}[23;2t";

/// The terminal of standard error, if it is one that takes titles; its own title comes back at the end.
#[derive(Debug)]
pub(super) struct Terminal {
    takes: bool,
    kept: std::sync::atomic::AtomicBool,
}

fn write(text: &str) {
    let mut err = std::io::stderr().lock();
    // Ignored: a terminal that is gone shows nothing.
    err.write_all(text.as_bytes()).and_then(|()| err.flush()).ok();
}

impl Terminal {
    pub(super) fn new() -> Self {
        let is_dumb = env::var("TERM").is_none_or(|term| term == "dumb" || term == "linux");
        Self { takes: !is_dumb && std::io::stderr().is_terminal(), kept: false.into() }
    }

    /// Shows the badge, and rings where it is to.
    pub(super) fn show(&self, badge: &Badge) {
        if !self.takes || (badge.text.is_empty() && !self.is_kept()) {
            return;
        }
        let keep = if self.kept.swap(true, std::sync::atomic::Ordering::Relaxed) { "" } else { KEEP };
        let text = match badge.text.as_str() {
            "" => "autodo".to_owned(),
            text => plain(text),
        };
        let bell = if badge.rings { "\u{7}" } else { "" };
        write(&format!("{keep}\u{1b}]2;{text}\u{7}{bell}"));
    }

    fn is_kept(&self) -> bool {
        self.kept.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.is_kept() {
            write(BRING_BACK);
        }
    }
}
