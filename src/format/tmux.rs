//! What tmux prints, as values: rows of `list-panes`, batches of captured screens, versions, buffers.
//!
//! tmux has no quoting in its output, so free text (titles, names that a person gave) comes last in a line and is
//! preceded by its length in bytes. Nothing a program writes into a pane can then shift a field. Fields are separated
//! by `|`: tmux 3.3a replaces tabs in its output.

pub mod control;

use crate::domain::{
    id::{PaneId, TicketId},
    observed::Observed,
    screen::Screen,
};

/// The format that [`pane_rows`] reads, for `list-panes -a -F`. `n:` is a length in bytes (tmux ≥ 3.2).
pub const PANE_FORMAT: &str = concat!(
    "#{pid}|#{start_time}|#{pane_id}|#{pane_dead}|#{pane_in_mode}|#{session_attached}|#{pane_pid}|#{window_activity}|",
    "#{history_size}|#{cursor_x}|#{cursor_y}|#{pane_width}|#{pane_height}|#{n:@autodo_ticket}|#{n:@autodo_run}|",
    "#{n:@autodo_launch}|#{n:session_name}|#{n:pane_title}|#{@autodo_ticket}#{@autodo_run}#{@autodo_launch}",
    "#{session_name}#{pane_title}"
);

/// Which server answered: a pane id means nothing on another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerMark {
    /// Its process id.
    pub pid: i32,
    /// When it started, in seconds since the epoch.
    pub started_s: i64,
}

/// One row of [`PANE_FORMAT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaneRow {
    /// The server that answered.
    pub server: ServerMark,
    /// The pane.
    pub pane: PaneId,
    /// Its program has ended.
    pub dead: bool,
    /// It is in a mode that swallows keys.
    pub in_mode: bool,
    /// A client is attached to its session.
    pub attached: bool,
    /// Process id of its program; `None`: it has ended, and tmux (3.8 and newer) tells it no longer.
    pub pid: Option<i32>,
    /// Last output, in seconds since the epoch.
    pub activity_s: i64,
    /// Lines of scrollback.
    pub history: u64,
    /// Cursor column and row, from 0.
    pub cursor: (u16, u16),
    /// Columns and rows.
    pub size: (u16, u16),
    /// Ticket, run and launch it is tagged with.
    pub tag: Option<(TicketId, u32, u32)>,
    /// Name of its session.
    pub session: String,
    /// Its title.
    pub title: String,
}

/// Why tmux's output could not be read. Nothing of that output is used then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {what} in tmux's output: {line:?}")]
pub struct Unreadable {
    /// What was expected.
    pub what: &'static str,
    /// The beginning of the line it was expected in.
    pub line: String,
}

impl Unreadable {
    fn at(what: &'static str, bytes: &[u8]) -> Self {
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let shown: String = String::from_utf8_lossy(line).chars().take(200).collect();
        Self { what, line: shown }
    }
}

/// Walks over `|`-separated fields and texts of known length.
struct Walk<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { whole: bytes, rest: bytes }
    }

    /// Takes a field up to its `|`; a line feed before it is an error.
    fn field(&mut self, what: &'static str) -> Result<&'a str, Unreadable> {
        let fail = || Unreadable::at(what, self.whole);
        let end = self.rest.iter().position(|b| matches!(b, b'|' | b'\n')).ok_or_else(fail)?;
        let (field, rest) = self.rest.split_at(end);
        let rest = rest.strip_prefix(b"|").ok_or_else(fail)?;
        let field = str::from_utf8(field).map_err(|_| fail())?;
        self.rest = rest;
        Ok(field)
    }

    fn number<T: std::str::FromStr>(&mut self, what: &'static str) -> Result<T, Unreadable> {
        let whole = self.whole;
        self.field(what)?.parse().map_err(|_| Unreadable::at(what, whole))
    }

    /// A number; nothing at all is `None`.
    fn number_or_nothing(&mut self, what: &'static str) -> Result<Option<i32>, Unreadable> {
        let whole = self.whole;
        match self.field(what)? {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Unreadable::at(what, whole)),
        }
    }

    /// A number of which only "not zero" is of interest: tmux counts modes and clients.
    fn flag(&mut self, what: &'static str) -> Result<bool, Unreadable> {
        Ok(self.number::<u32>(what)? > 0)
    }

    fn text(&mut self, length: usize, what: &'static str) -> Result<String, Unreadable> {
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(|| Unreadable::at(what, self.whole))?;
        self.rest = rest;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn line_end(&mut self, what: &'static str) -> Result<(), Unreadable> {
        self.rest = self.rest.strip_prefix(b"\n").ok_or_else(|| Unreadable::at(what, self.whole))?;
        Ok(())
    }
}

/// The format that [`pulses`] reads, for `list-panes -a -F`: a quarter of the work of [`PANE_FORMAT`] for the server.
pub const PULSE_FORMAT: &str = "#{pane_id}|#{pane_dead}|#{pane_in_mode}|#{session_attached}|#{window_activity}|";

/// The line before these rows, for `display-message -p`.
pub const SERVER_FORMAT: &str = "#{pid}|#{start_time}|";

/// What tells that a pane's row is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The pane.
    pub pane: PaneId,
    /// As in [`PaneRow`].
    pub dead: bool,
    /// As in [`PaneRow`].
    pub in_mode: bool,
    /// As in [`PaneRow`].
    pub attached: bool,
    /// As in [`PaneRow`].
    pub activity_s: i64,
}

/// Reads a line of [`SERVER_FORMAT`] and rows of [`PULSE_FORMAT`]: all, or none.
///
/// # Errors
/// [`Unreadable`] names the first field that is not what it should be.
pub fn pulses(output: &[u8]) -> Result<(ServerMark, Vec<Pulse>), Unreadable> {
    let mut walk = Walk::of(output);
    let server = ServerMark { pid: walk.number("the server's pid")?, started_s: walk.number("the server's start")? };
    walk.line_end("the end of the server's line")?;
    let mut all = Vec::new();
    while !walk.rest.is_empty() {
        walk.whole = walk.rest;
        let whole = walk.whole;
        let pane = PaneId::parse(walk.field("a pane id")?).ok_or_else(|| Unreadable::at("a pane id", whole))?;
        let (dead, in_mode) = (walk.flag("pane_dead")?, walk.flag("pane_in_mode")?);
        let (attached, activity_s) = (walk.flag("session_attached")?, walk.number("window_activity")?);
        walk.line_end("the end of a row")?;
        all.push(Pulse { pane, dead, in_mode, attached, activity_s });
    }
    Ok((server, all))
}

/// Reads the output of `list-panes -a -F` with [`PANE_FORMAT`]: all rows, or none.
///
/// # Errors
/// [`Unreadable`] names the first field that is not what it should be; a tag that is not complete is one.
pub fn pane_rows(output: &[u8]) -> Result<Vec<PaneRow>, Unreadable> {
    let mut rows = Vec::new();
    let mut rest = output;
    while !rest.is_empty() {
        let mut walk = Walk::of(rest);
        rows.push(pane_row(&mut walk)?);
        rest = walk.rest;
    }
    Ok(rows)
}

fn pane_row(walk: &mut Walk<'_>) -> Result<PaneRow, Unreadable> {
    let server = ServerMark { pid: walk.number("the server's pid")?, started_s: walk.number("the server's start")? };
    let whole = walk.whole;
    let pane = PaneId::parse(walk.field("a pane id")?).ok_or_else(|| Unreadable::at("a pane id", whole))?;
    let dead = walk.flag("pane_dead")?;
    let in_mode = walk.flag("pane_in_mode")?;
    let attached = walk.flag("session_attached")?;
    // tmux 3.8 has none of a program that has ended, and only a moment later the pane is dead.
    let pid = walk.number_or_nothing("pane_pid")?;
    let activity_s = walk.number("window_activity")?;
    let history = walk.number("history_size")?;
    let cursor = (walk.number("cursor_x")?, walk.number("cursor_y")?);
    let size = (walk.number("pane_width")?, walk.number("pane_height")?);
    let mut lengths = [0_usize; 5];
    for length in &mut lengths {
        *length = walk.number("a length")?;
    }
    let [ticket, run, launch, session, title] = lengths;
    let tag = [walk.text(ticket, "the ticket")?, walk.text(run, "the run")?, walk.text(launch, "the launch")?];
    let session = walk.text(session, "the session's name")?;
    let title = walk.text(title, "the title")?;
    walk.line_end("the end of a row")?;
    let tag = read_tag(&tag).map_err(|()| Unreadable::at("the tag of a pane", whole))?;
    Ok(PaneRow { server, pane, dead, in_mode, attached, pid, activity_s, history, cursor, size, tag, session, title })
}

/// All three, or none of them. Half a tag is an error: it is not known whose pane that is.
fn read_tag([ticket, run, launch]: &[String; 3]) -> Result<Option<(TicketId, u32, u32)>, ()> {
    if ticket.is_empty() && run.is_empty() && launch.is_empty() {
        return Ok(None);
    }
    // Ignored: which of the three is wrong; the caller shows the whole row.
    let ticket = TicketId::parse(ticket).map_err(|_| ())?;
    let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0).ok_or(());
    Ok(Some((ticket, number(run)?, number(launch)?)))
}

/// The line that goes before the capture of pane number `index` of a batch; [`screens`] reads it.
#[must_use]
pub fn screen_header(nonce: &str, index: usize) -> String {
    // The pane id is asked for, not written: this format passes strftime, in which a `%` means something.
    format!(
        "{nonce}|{index}|#{{pane_id}}|#{{cursor_x}}|#{{cursor_y}}|#{{pane_width}}|#{{n:pane_title}}|#{{pane_title}}"
    )
}

/// The line that ends a batch.
#[must_use]
pub fn screen_end(nonce: &str) -> String {
    format!("{nonce}|end")
}

/// Splits the output of a batch of headers and captures: one entry for each of `asked`, in that order.
///
/// # Errors
/// [`Unreadable`] if the batch did not run to its end or a header is missing or broken.
pub fn screens(output: &[u8], nonce: &str, asked: &[PaneId]) -> Result<Vec<(PaneId, Observed<Screen>)>, Unreadable> {
    let mark = format!("{nonce}|").into_bytes();
    let mut rest = output;
    let mut found = Vec::with_capacity(asked.len());
    for (index, pane) in asked.iter().enumerate() {
        let mut walk = Walk::of(rest);
        let screen = screen_of(&mut walk, nonce, index, pane)?;
        let (rows, after) = rows_before(walk.rest, &mark);
        rest = after;
        found.push((pane.clone(), screen.map(|screen| Screen { rows, ..screen })));
    }
    if rest != format!("{}\n", screen_end(nonce)).as_bytes() {
        return Err(Unreadable::at("the end of the captures", rest));
    }
    Ok(found)
}

fn screen_of(walk: &mut Walk<'_>, nonce: &str, index: usize, pane: &PaneId) -> Result<Observed<Screen>, Unreadable> {
    let whole = walk.whole;
    if walk.field("a capture's mark")? != nonce || walk.number::<usize>("a capture's number")? != index {
        return Err(Unreadable::at("a capture's mark", whole));
    }
    // tmux 3.3a answers for a pane that is gone with a line of empty values.
    let seen = walk.field("a pane id")?;
    let values = [walk.field("cursor_x")?, walk.field("cursor_y")?, walk.field("pane_width")?];
    let title = walk.number("a title's length")?;
    let title = walk.text(title, "a title")?;
    walk.line_end("the end of a capture's header")?;
    if seen.is_empty() {
        return Ok(Observed::Absent);
    }
    let number = |text: &str| text.parse::<u16>().map_err(|_| Unreadable::at("a capture's numbers", whole));
    if seen != pane.as_str() {
        return Err(Unreadable::at("the pane that was asked for", whole));
    }
    let [x, y, width] = values;
    let (cursor, width) = ((number(x)?, number(y)?), number(width)?);
    Ok(Observed::Present(Screen { rows: Vec::new(), width, cursor, title }))
}

/// The lines before the next one that begins with `mark`, trailing blanks removed; and what follows them.
fn rows_before<'a>(bytes: &'a [u8], mark: &[u8]) -> (Vec<String>, &'a [u8]) {
    let mut rows = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && !rest.starts_with(mark) {
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rows.push(String::from_utf8_lossy(line).trim_end().to_owned());
        rest = after.strip_prefix(b"\n").unwrap_or(after);
    }
    (rows, rest)
}

/// A version of tmux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As printed, without the program's name: `3.3a`, `next-3.6`, `master`.
    pub text: String,
    /// Major and minor number; `None`: a build that carries none (`master`, OpenBSD's).
    pub release: Option<(u32, u32)>,
}

/// Oldest release that can be used: the first with `-N`, `copy-mode -q`, `list-buffers -f` and `n:`.
pub const OLDEST: (u32, u32) = (3, 2);

/// The versions, as `tmux -V` prints them, that all tests of the tmux room and whole nights of work have passed with:
/// `scripts/tmux-versions` runs those. Any other is usable from [`OLDEST`] on, and is said to be untested.
pub const TESTED: &[&str] = &["3.3a", "3.5a", "3.7c", "3.8"];

impl Version {
    /// Reads the output of `tmux -V`.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not a version of tmux.
    pub fn parse(output: &str) -> Result<Self, Unreadable> {
        let fail = || Unreadable::at("the version", output.as_bytes());
        let text = output.trim().strip_prefix("tmux ").ok_or_else(fail)?.trim();
        let own = || text.to_owned();
        if text == "master" || text.starts_with("openbsd-") {
            return Ok(Self { text: own(), release: None });
        }
        let (major, minor) = text.strip_prefix("next-").unwrap_or(text).split_once('.').ok_or_else(fail)?;
        let digits = minor.find(|c: char| !c.is_ascii_digit()).map_or(minor, |end| &minor[..end]);
        let number = |part: &str| part.parse::<u32>().map_err(|_| fail());
        Ok(Self { text: own(), release: Some((number(major)?, number(digits)?)) })
    }

    /// True for exactly those of [`TESTED`]: tmux changes what it prints even between letters of one release.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        TESTED.contains(&self.text.as_str())
    }

    /// True for [`OLDEST`] and newer; a build without a number is taken to be new.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.release.is_none_or(|release| release >= OLDEST)
    }
}

#[cfg(test)]
mod tests;
