//! The protocol of tmux's control mode: blocks of output between marks, and notices, from bytes as they arrive.
//!
//! What a command prints stands between `%begin T N F` and `%end T N F` (or `%error T N F`), the same three numbers
//! in both; `F` is 1 if this client asked for it (control.c and cmd-queue.c of tmux 3.2 to 3.6). All else outside a
//! block is a notice, a line that begins with `%`. Bytes that fit nowhere are an error, after which nothing that the
//! client says is worth anything.

use super::Unreadable;

/// Most that one block, or one line outside of blocks, may hold, in bytes.
const MOST: usize = 16 << 20;

/// One thing that a control client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What one command printed.
    Block(Block),
    /// Anything else, without its `%`: `session-changed $0 _autodo`.
    Notice(String),
}

/// What one command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// This client sent the command; otherwise it is of its start, or of a hook.
    pub is_own: bool,
    /// The command did well.
    pub is_ok: bool,
    /// What it printed, or what it failed of.
    pub output: Vec<u8>,
}

/// Reads what a control client says, however the bytes are cut.
#[derive(Debug, Default)]
pub struct Parser {
    /// What came and is not read yet; before `read` it is.
    bytes: Vec<u8>,
    read: usize,
    /// Up to here there is no line feed.
    looked: usize,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// The three numbers as they stand after `%begin `.
    mark: Vec<u8>,
    output: Vec<u8>,
}

impl Parser {
    /// Takes what came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.bytes.drain(..self.read);
            self.looked -= self.read;
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message that is complete; `None`: more bytes are wanted.
    ///
    /// # Errors
    /// [`Unreadable`]: this is no control client of tmux, or not one that is known.
    pub fn message(&mut self) -> Result<Option<Message>, Unreadable> {
        while let Some(end) = self.line_end()? {
            let (from, rest) = (self.read, end + 1);
            self.read = rest;
            self.looked = rest;
            if let Some(message) = take(&mut self.open, self.bytes.get(from..end).unwrap_or_default())? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Where the first line that is not read yet ends.
    fn line_end(&mut self) -> Result<Option<usize>, Unreadable> {
        let unseen = self.bytes.get(self.looked..).unwrap_or_default();
        if let Some(at) = unseen.iter().position(|byte| *byte == b'\n') {
            return Ok(Some(self.looked + at));
        }
        self.looked = self.bytes.len();
        let waiting = self.bytes.get(self.read..).unwrap_or_default();
        if waiting.len() > MOST { Err(Unreadable::at("a line of at most 16 MB", waiting)) } else { Ok(None) }
    }
}

/// Takes one line; returns what it completes.
fn take(open: &mut Option<Open>, line: &[u8]) -> Result<Option<Message>, Unreadable> {
    let Some(mut block) = open.take() else { return outside(open, line) };
    let end = |word: &[u8]| line.strip_prefix(word).is_some_and(|mark| mark == block.mark);
    let is_ok = end(b"%end ");
    if is_ok || end(b"%error ") {
        let is_own = block.mark.ends_with(b" 1");
        return Ok(Some(Message::Block(Block { is_own, is_ok, output: block.output })));
    }
    if block.output.len() + line.len() > MOST {
        return Err(Unreadable::at("the end of a block of at most 16 MB", line));
    }
    block.output.extend_from_slice(line);
    block.output.push(b'\n');
    *open = Some(block);
    Ok(None)
}

fn outside(open: &mut Option<Open>, line: &[u8]) -> Result<Option<Message>, Unreadable> {
    if let Some(mark) = line.strip_prefix(b"%begin ") {
        if !is_mark(mark) {
            return Err(Unreadable::at("the mark of a block", line));
        }
        *open = Some(Open { mark: mark.to_vec(), output: Vec::new() });
        return Ok(None);
    }
    let notice = line.strip_prefix(b"%").filter(|notice| notice.first().is_some_and(u8::is_ascii_lowercase));
    let word = notice.map(|notice| notice.split(|byte| *byte == b' ').next().unwrap_or_default());
    match (notice, word) {
        (Some(notice), Some(word)) if !matches!(word, b"begin" | b"end" | b"error") => {
            Ok(Some(Message::Notice(String::from_utf8_lossy(notice).into_owned())))
        }
        _ => Err(Unreadable::at("a notice or a block of a control client", line)),
    }
}

/// Three numbers, the last of them 0 or 1.
fn is_mark(mark: &[u8]) -> bool {
    let fields: Vec<&[u8]> = mark.split(|byte| *byte == b' ').collect();
    let is_number = |field: &&[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    fields.len() == 3 && fields.iter().all(is_number) && matches!(fields.last(), Some([b'0' | b'1']))
}

#[cfg(test)]
mod tests;
