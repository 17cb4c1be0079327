//! Typing: a text as one bracketed paste, or a single key. Both are guarded inside the server.

use std::time::{SystemTime, UNIX_EPOCH};

use tmux_interface::{CopyMode, DeleteBuffer, ListBuffers, LoadBuffer, PasteBuffer, SendKeys, SetBuffer};

use super::{
    capture::nonce,
    client::Client,
    command::Cmd,
    guard::{Outcome, act},
    server,
};
use crate::{
    domain::id::PaneId,
    format::tmux::ServerMark,
    ports::terminal::{Guard, Key, KeySent, TerminalError},
};

/// What autodo's buffers are called, before their random part.
const BUFFER: &str = "autodo-";
/// A buffer of ours that is older than this was left by a process that died between loading and pasting.
const LEFT_OVER_S: u64 = 60;
/// Names that [`Key::Named`] may hold.
const NAMED: &[&str] = &["Escape", "Up", "Down", "C-c", "C-d", "C-u", "BSpace", "Tab"];

/// Pastes `text` into `pane` as one bracketed paste, line feeds kept.
///
/// Two steps: the first loads the text into a buffer of its own and reads its size back; only if all of it arrived
/// does the second paste it. A process that dies in between leaves an unpasted buffer, never half a paste.
pub(super) async fn paste(
    client: &Client,
    pane: &PaneId,
    server: Option<ServerMark>,
    text: &str,
) -> Result<(), TerminalError> {
    // tmux takes an empty load as no load, and a control sequence could end the paste and type on.
    if text.is_empty() {
        return Err(TerminalError::Other(format!("there is no text to paste into the pane {pane}")));
    }
    if text.contains(['\u{1b}', '\u{9b}', '\0']) {
        return Err(TerminalError::Other(format!("the text for the pane {pane} holds a control sequence")));
    }
    let nonce = nonce()?;
    let name = format!("{BUFFER}{nonce}");
    let pasted = match load(client, &name, text).await {
        Ok(()) => {
            let paste = PasteBuffer::new().bracket_codes().no_replacement().delete().buffer_name(name.as_str());
            let paste = Cmd::of(&paste.target_pane(pane.as_str()).build());
            act(client, pane, server, &Guard::default(), &[paste], &nonce).await
        }
        Err(why) => Err(why),
    };
    match pasted {
        Ok(Outcome::Done) => Ok(()),
        Ok(Outcome::Refused(why)) => {
            delete(client, &name).await;
            Err(TerminalError::Other(format!("nothing was pasted into {why}")))
        }
        Err(why) => {
            delete(client, &name).await;
            Err(why)
        }
    }
}

/// Loads `text` into the buffer `name`, and removes what earlier processes left behind.
async fn load(client: &Client, name: &str, text: &str) -> Result<(), TerminalError> {
    let list = Cmd::of(&ListBuffers::new().format("#{buffer_name}|#{buffer_size}|#{buffer_created}").build());
    let set = Cmd::of(&SetBuffer::new().buffer_name(name).build()).arg("--").arg(text);
    let answer = match client.ask_control(&[set, list.clone()]).await {
        Some(answer) => answer?,
        // Never as an argument of a process, which everybody can read.
        None => {
            let load = Cmd::of(&LoadBuffer::new().buffer_name(name).path("-").build());
            server::run(client, &[load, list], Some(text.as_bytes())).await?
        }
    };
    let output = answer.output()?;
    let output = String::from_utf8_lossy(&output).into_owned();
    let ours = output.lines().filter(|line| line.starts_with(BUFFER)).map(|line| line.split('|').collect::<Vec<_>>());
    let mut size = None;
    let mut left_over = Vec::new();
    // Ignored: with a clock before 1970 nothing is ever left over.
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for fields in ours {
        let [buffer, bytes, created] = fields[..] else { continue };
        if buffer == name {
            size = bytes.parse::<usize>().ok();
        } else if created.parse::<u64>().is_ok_and(|created| created + LEFT_OVER_S < now_s) {
            left_over.push(buffer.to_owned());
        }
    }
    for buffer in left_over {
        delete(client, &buffer).await;
    }
    if size == Some(text.len()) {
        return Ok(());
    }
    Err(TerminalError::Other(format!("the buffer {name} holds {size:?} of {} bytes: nothing was pasted", text.len())))
}

async fn delete(client: &Client, buffer: &str) {
    let delete = Cmd::of(&DeleteBuffer::new().buffer_name(buffer).build());
    // Ignored: it is gone, or the next paste removes it as left over.
    if let Err(why) = server::ask(client, &[delete]).await {
        tracing::debug!(%why, buffer, "cannot delete a buffer");
    }
}

/// Sends `key` to `pane` if `guard` holds.
pub(super) async fn key(
    client: &Client,
    pane: &PaneId,
    server: Option<ServerMark>,
    key: &Key,
    guard: &Guard,
) -> Result<KeySent, TerminalError> {
    let send = SendKeys::new().target_pane(pane.as_str());
    let refused = |what: &str| TerminalError::Other(format!("{what} is no key that may be sent"));
    let send = match key {
        Key::Enter => Cmd::of(&send.build()).arg("Enter"),
        // Literally: `-l` keeps a character from being read as the name of a key.
        Key::Char(c) if !c.is_control() => Cmd::of(&send.disable_lookup().build()).arg("--").arg(*c),
        Key::Char(c) => return Err(refused(&format!("{c:?}"))),
        Key::Named(name) if NAMED.contains(name) => Cmd::of(&send.build()).arg(*name),
        Key::Named(name) => return Err(refused(name)),
    };
    match act(client, pane, server, guard, &[send], &nonce()?).await? {
        Outcome::Done => Ok(KeySent::Yes),
        Outcome::Refused(why) => {
            tracing::debug!(%why, "a key was refused");
            Ok(KeySent::Refused)
        }
    }
}

/// Leaves every mode that swallows keys; one that is in none stays as it is.
pub(super) async fn leave_mode(client: &Client, pane: &PaneId) -> Result<(), TerminalError> {
    let leave = Cmd::of(&CopyMode::new().target_pane(pane.as_str()).build()).arg("-q");
    server::ask(client, &[leave]).await?.output()?;
    Ok(())
}
