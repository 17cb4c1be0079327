//! How the fake agent looks.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

/// A question with Yes and No that stands in place of the box.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// `permission` or `trust`.
    pub name: &'static str,
    /// The line above the text.
    pub head: &'static str,
    /// What it is about.
    pub text: String,
    /// True if Enter picks Yes.
    pub yes: bool,
}

/// What is drawn below the output.
pub struct Face {
    rows: Vec<String>,
    /// Before the text in the box.
    pub prefix: String,
}

impl Face {
    pub fn new() -> Self {
        Self { rows: Vec::new(), prefix: "> ".to_owned() }
    }

    /// Draws `output`, and below it the dialog, or the box with `input` and the status.
    pub fn draw(&mut self, output: &str, input: &str, status: &str, dialog: Option<&Dialog>) {
        let columns = columns();
        let rule = "─".repeat(columns.min(100));
        let mut rows = vec![rule.clone()];
        if let Some(dialog) = dialog {
            let marks = if dialog.yes { ("❯", " ") } else { (" ", "❯") };
            rows.push(format!(" {}", dialog.head));
            rows.push(format!(" {}", dialog.text));
            rows.push(format!(" {} 1. Yes", marks.0));
            rows.push(format!(" {} 2. No", marks.1));
        } else {
            rows.extend(self.boxed(input, columns));
            rows.push(rule);
        }
        rows.push(format!(" fake · {status}"));
        if output.is_empty() && rows == self.rows {
            return;
        }
        let same = output.is_empty() && rows.len() == self.rows.len();
        let mut bytes = self.home(columns);
        if same {
            for (at, (new, old)) in rows.iter().zip(&self.rows).enumerate() {
                if new != old {
                    bytes.push_str(&format!("{new}\x1b[K\r"));
                }
                bytes.push_str(if at + 1 < rows.len() { "\n" } else { "" });
            }
        } else {
            bytes.push_str(&self.erase());
            bytes.push_str(&output.replace('\n', "\r\n"));
            bytes.push_str(&rows.join("\r\n"));
            bytes.push_str("\x1b[J\r");
        }
        self.rows = rows;
        put(&bytes);
    }

    /// Forgets what is drawn, after the screen was changed.
    pub fn forget(&mut self) {
        self.rows.clear();
    }

    /// The rows of the box.
    pub fn boxed(&self, input: &str, columns: usize) -> Vec<String> {
        let room = columns.saturating_sub(4).max(1);
        let clean = |c: char| if c.is_control() { '·' } else { c };
        let mut rows: Vec<String> = Vec::new();
        for line in input.replace("\r\n", "\n").split(['\n', '\r']) {
            let shown: Vec<char> = line.replace('\t', "    ").chars().map(clean).collect();
            rows.extend(shown.chunks(room).map(|row| row.iter().collect()));
            if shown.is_empty() {
                rows.push(String::new());
            }
        }
        if rows.len() > 5 {
            let more = rows.len() - 3;
            rows.truncate(3);
            rows.push(format!("… (+{more} lines)"));
        }
        let lead = |at: usize| if at == 0 { self.prefix.as_str() } else { "  " };
        rows.iter().enumerate().map(|(at, row)| format!("{}{row}", lead(at))).collect()
    }

    /// From the status line up to the first row, however the terminal has wrapped them meanwhile.
    fn home(&self, columns: usize) -> String {
        let wrapped = |row: &String| row.width().div_ceil(columns).max(1);
        let above: usize = self.rows.iter().rev().skip(1).map(wrapped).sum();
        if above == 0 { "\r".to_owned() } else { format!("\r\x1b[{above}A") }
    }

    /// Empties the rows one by one: "erase below" at the top left makes tmux keep them in its history.
    fn erase(&self) -> String {
        match self.rows.len() {
            0 => String::new(),
            1 => "\x1b[2K".to_owned(),
            rows => format!("{}\x1b[2K\x1b[{}A", "\x1b[2K\n".repeat(rows - 1), rows - 1),
        }
    }
}

/// Columns of the terminal; 80 where it does not say.
pub fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(80, |(width, _)| usize::from(width.0)).max(1)
}

/// Writes to the terminal at once.
pub fn put(bytes: &str) {
    let mut out = std::io::stdout().lock();
    // Ignored: a terminal that is gone ends the agent by itself.
    out.write_all(bytes.as_bytes()).and_then(|()| out.flush()).ok();
}
