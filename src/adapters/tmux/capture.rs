//! Screens: the visible rows of many panes by one client, and the scrollback of one.

use std::fmt::Write as _;

use tmux_interface::{CapturePane, DisplayMessage, SourceFile};

use super::{
    client::Client,
    command::Cmd,
    error::{Fault, fault},
    server,
};
use crate::{
    domain::{id::PaneId, observed::Observed},
    format::tmux::{screen_end, screen_header, screens as read_screens},
    ports::terminal::{Screens, TerminalError},
};

/// A word that no pane can know: 64 random bits.
///
/// # Errors
/// `Other` if the system has no randomness.
pub(super) fn nonce() -> Result<String, TerminalError> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|why| TerminalError::Other(format!("no random bytes: {why}")))?;
    Ok(bytes.iter().fold(String::from("ad"), |mut text, byte| {
        // Ignored: writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    }))
}

/// The visible screens of `panes`, all of the same moment: tmux runs the batch without a break.
///
/// The batch goes through `source-file -`, in which a pane that is gone spoils only its own line; commands joined by
/// `;` would stop there.
pub(super) async fn screens(client: &Client, panes: &[PaneId]) -> Observed<Screens> {
    if panes.is_empty() {
        return Observed::Present(Vec::new());
    }
    match try_screens(client, panes).await {
        Ok(found) => Observed::Present(found),
        Err(TerminalError::NoServer(_)) => Observed::Absent,
        Err(why) => Observed::Unknown(why.to_string()),
    }
}

async fn try_screens(client: &Client, panes: &[PaneId]) -> Result<Screens, TerminalError> {
    let nonce = nonce()?;
    let mut batch = String::new();
    for (index, pane) in panes.iter().enumerate() {
        let header = screen_header(&nonce, index);
        let header = DisplayMessage::new().print().target_pane(pane.as_str()).message(header).build();
        let capture = CapturePane::new().stdout().target_pane(pane.as_str()).build();
        for command in [header, capture] {
            batch.push_str(&Cmd::of(&command).line());
            batch.push('\n');
        }
    }
    let end = DisplayMessage::new().print().message(screen_end(&nonce)).build();
    batch.push_str(&Cmd::of(&end).line());
    batch.push('\n');
    let source = Cmd::of(&SourceFile::new().path("-").build());
    let answer = server::run(client, &[source], Some(batch.as_bytes())).await?;
    // The client fails if any pane was gone; the rest of the batch has been carried out, which its last line proves.
    match fault(&answer.stderr) {
        Fault::NoServer(text) if !answer.is_ok => Err(TerminalError::NoServer(text)),
        Fault::NoServer(_) | Fault::NoTarget(_) | Fault::Duplicate | Fault::Other(_) => {
            read_screens(&answer.stdout, &nonce, panes)
                .map_err(|why| TerminalError::Other(format!("{why} ({})", answer.stderr.trim())))
        }
    }
}

/// The last `lines` lines of scrollback and the visible screen. Lines that the terminal wrapped are joined again;
/// trailing blanks are removed.
pub(super) async fn scrollback(client: &Client, pane: &PaneId, lines: u32) -> Observed<String> {
    let start = if lines == 0 { "0".to_owned() } else { format!("-{lines}") };
    let capture = CapturePane::new().stdout().join().start_line(start).target_pane(pane.as_str()).build();
    let output = match server::run(client, &[Cmd::of(&capture)], None).await {
        Ok(answer) => answer.output(),
        Err(why) => return Observed::Unknown(why.to_string()),
    };
    match output {
        Ok(output) => Observed::Present(String::from_utf8_lossy(&output).lines().fold(
            String::with_capacity(output.len()),
            |mut text, line| {
                text.push_str(line.trim_end());
                text.push('\n');
                text
            },
        )),
        Err(Fault::NoServer(_) | Fault::NoTarget(_)) => Observed::Absent,
        Err(fault) => Observed::Unknown(TerminalError::from(fault).to_string()),
    }
}
