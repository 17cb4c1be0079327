//! The screen: output that scrolls, and below it the box and the status line, drawn in place.
//!
//! Nothing here writes: each call returns the bytes to write. The lower part is drawn right below the last output, in
//! the normal screen, so that what scrolled away stays in the terminal's history.

use std::fmt::Write;

use super::text;

/// Widest rule.
const RULE: usize = 100;
/// A box of more rows than this shows [`SHOWN`] of them.
const MOST: usize = 5;
const SHOWN: usize = 3;

/// The rows of a text as the box shows them, the first behind `> `, the others behind two blanks.
#[must_use]
pub fn boxed(text: &str, columns: usize) -> Vec<String> {
    let mut rows = text::rows(&text.replace('\t', "    "), columns.saturating_sub(3));
    if rows.len() > MOST {
        let more = rows.len() - SHOWN;
        rows.truncate(SHOWN);
        rows.push(format!("… (+{more} lines)"));
    }
    let lead = |at: usize| if at == 0 { "> " } else { "  " };
    rows.iter().enumerate().map(|(at, row)| text::cut(&format!("{}{row}", lead(at)), columns.max(1))).collect()
}

/// What is drawn now.
#[derive(Debug)]
pub struct Screen {
    columns: usize,
    lines: Vec<String>,
    /// Row (of `lines`) and column where the cursor was left.
    cursor: (usize, usize),
}

impl Screen {
    /// A screen on which nothing is drawn yet.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), lines: Vec::new(), cursor: (0, 0) }
    }

    /// Columns of the terminal.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Draws `output` above a box that holds `input`, and `status` below it.
    #[must_use]
    pub fn draw(&mut self, output: &[String], input: &str, status: &str) -> String {
        let rule = "─".repeat(self.columns.min(RULE));
        let body = boxed(input, self.columns);
        let last = body.len();
        let column = body.last().map_or(0, |row| text::width(row)).min(self.columns - 1);
        let mut lines = vec![rule.clone()];
        lines.extend(body);
        lines.push(rule);
        lines.push(text::cut(status, self.columns - 1));
        self.put(output, lines, (last, column))
    }

    /// Draws everything again for another width. The terminal has wrapped the old lines anew meanwhile, so they take
    /// other rows than before.
    #[must_use]
    pub fn resize(&mut self, columns: usize) -> String {
        let old = std::mem::replace(&mut self.columns, columns.max(1));
        if old == self.columns || self.lines.is_empty() {
            return String::new();
        }
        let rows = |line: &String| text::width(line).div_ceil(self.columns).max(1);
        let (row, column) = self.cursor;
        let above: usize = self.lines.iter().take(row).map(rows).sum::<usize>() + column / self.columns;
        let all: usize = self.lines.iter().map(rows).sum();
        self.lines.clear();
        self.cursor = (0, 0);
        format!("\r{}{}", up(above), erase(all))
    }

    /// Leaves the box where it is and the cursor below it.
    #[must_use]
    pub fn leave(&mut self) -> String {
        let down = self.lines.len().saturating_sub(1).saturating_sub(self.cursor.0);
        self.lines.clear();
        self.cursor = (0, 0);
        format!("\r{}\r\n", "\n".repeat(down))
    }

    fn put(&mut self, output: &[String], lines: Vec<String>, cursor: (usize, usize)) -> String {
        if output.is_empty() && lines == self.lines && cursor == self.cursor {
            return String::new();
        }
        let mut bytes = String::from("\x1b[?25l\r");
        bytes.push_str(&up(self.cursor.0));
        if output.is_empty() && lines.len() == self.lines.len() {
            // Only the lines that changed: a spinner costs a few bytes.
            for (at, (new, old)) in lines.iter().zip(&self.lines).enumerate() {
                if new != old {
                    bytes.push_str(new);
                    bytes.push_str("\x1b[K\r");
                }
                if at + 1 < lines.len() {
                    bytes.push('\n');
                }
            }
        } else {
            bytes.push_str(&erase(self.lines.len()));
            for line in output {
                bytes.push_str(line);
                bytes.push_str("\r\n");
            }
            bytes.push_str(&lines.join("\r\n"));
            bytes.push_str("\x1b[J");
        }
        bytes.push('\r');
        bytes.push_str(&up(lines.len() - 1 - cursor.0));
        if cursor.1 > 0 {
            // Ignored: writing to a String does not fail.
            write!(bytes, "\x1b[{}C", cursor.1).ok();
        }
        bytes.push_str("\x1b[?25h");
        (self.lines, self.cursor) = (lines, cursor);
        bytes
    }
}

/// The sequence that moves the cursor up.
fn up(rows: usize) -> String {
    if rows == 0 { String::new() } else { format!("\x1b[{rows}A") }
}

/// Empties as many rows, from the cursor's on, and goes back to the first. Row by row: "erase below" at the top left
/// corner makes tmux keep what was there in its history (option scroll-on-clear, always on before 3.4).
fn erase(rows: usize) -> String {
    let below = rows.saturating_sub(1);
    let empty = if rows == 0 { "" } else { "\x1b[2K" };
    format!("{}{empty}{}", "\x1b[2K\n".repeat(below), up(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_shows_the_text_and_no_more_than_it_may() {
        assert_eq!(boxed("", 80), ["> "]);
        assert_eq!(boxed("a\nb", 80), ["> a", "  b"]);
        assert_eq!(boxed("1\n2\n3\n4\n5", 80).len(), 5);
        assert_eq!(boxed("1\n2\n3\n4\n5\n6", 80), ["> 1", "  2", "  3", "  … (+3 lines)"]);
        assert_eq!(boxed("abcdef", 8), ["> abcde", "  f"]);
    }

    #[test]
    fn a_box_between_two_rules_stands_above_the_status() {
        let mut screen = Screen::new(10);
        let bytes = screen.draw(&["out".to_owned()], "hi", " script · ready");
        let rule = "─".repeat(10);
        assert!(bytes.contains(&format!("\rout\r\n{rule}\r\n> hi\r\n{rule}\r\n script ·\x1b[J")), "{bytes:?}");
        assert!(bytes.ends_with("\r\x1b[2A\x1b[4C\x1b[?25h"), "{bytes:?}");
        let bytes = screen.draw(&["more".to_owned()], "hi", " script · ready");
        let erased = "\x1b[1A\x1b[2K\n\x1b[2K\n\x1b[2K\n\x1b[2K\x1b[3Amore\r\n";
        assert!(bytes.contains(erased), "{bytes:?}");
    }

    #[test]
    fn what_did_not_change_is_not_drawn() {
        let mut screen = Screen::new(80);
        let _ = screen.draw(&[], "text", "one");
        assert_eq!(screen.draw(&[], "text", "one"), "");
        let bytes = screen.draw(&[], "text", "two");
        assert!(bytes.contains("two\x1b[K") && !bytes.contains('─') && !bytes.contains("text"), "{bytes:?}");
    }

    #[test]
    fn a_smaller_terminal_has_wrapped_what_was_drawn() {
        let mut screen = Screen::new(100);
        let _ = screen.draw(&[], "x", "status");
        // The rule took one row of 100 columns and takes two of 50; the cursor is in the row below it.
        assert_eq!(screen.resize(50), format!("\r\x1b[2A{}\x1b[2K\x1b[5A", "\x1b[2K\n".repeat(5)));
        assert_eq!(screen.resize(50), "");
    }

    #[test]
    fn no_width_and_no_text_makes_it_panic() {
        for columns in 0..12 {
            let mut screen = Screen::new(columns);
            for input in ["", "a", "漢字漢字", "\u{301}\u{301}", "a\n\n\n\n\n\n\nb", "\t\t", "👨‍👩‍👧‍👦"]
            {
                let _ = screen.draw(&["漢".to_owned()], input, " script · busy ⠋ block 2/5 3s");
                let _ = screen.resize(11 - columns);
            }
            let _ = screen.leave();
        }
    }
}
