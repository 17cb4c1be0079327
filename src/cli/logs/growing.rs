//! What a pane shows, told as a log: each line once, when it stands.
//!
//! A pane is not a log: programs write over what they wrote (a spinner, a clock, an input box). So a line is told when it
//! has stood through some looks, and not before the lines above it; lines are known again from look to look by the
//! longest common part of the two.

/// Looks through which a line must stand. At the pace of [`super::follow`] that is longer than a second, so that what
/// counts seconds is never told.
const SETTLED: u32 = 4;

/// Looks after which a line is told although one above it still changes.
const OLD: u32 = 15;

/// Lines at the end of what is there at first that may be about to change.
const FRESH: usize = 6;

/// Above so many pairs of lines that would have to be compared, nothing is taken to be common.
const PAIRS: usize = 4_000_000;

/// Lines at the beginning of a look by which the rest of the one before is known again.
const ANCHOR: usize = 20;

/// A pane, as far as it was told.
#[derive(Debug, Default)]
pub struct Growing {
    lines: Vec<Line>,
    is_begun: bool,
}

#[derive(Clone, Debug)]
struct Line {
    text: String,
    looks: u32,
    is_told: bool,
}

impl Growing {
    /// The first look: the last `count` lines are to be told, and those before them are not.
    pub fn begin(&mut self, now: &[&str], count: usize) -> Vec<String> {
        let quiet = now.len().saturating_sub(count);
        let fresh = now.len().saturating_sub(FRESH);
        let line = |(n, text): (usize, &&str)| Line {
            text: (*text).to_owned(),
            looks: if n < fresh { SETTLED } else { 0 },
            is_told: n < quiet,
        };
        self.lines = now.iter().enumerate().map(line).collect();
        self.is_begun = true;
        self.settled()
    }

    /// True after the first look.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// A further look: the lines that are to be told now.
    pub fn look(&mut self, now: &[&str]) -> Vec<String> {
        let mut told = self.align(now);
        told.extend(self.settled());
        told
    }

    /// The last look: all that was not told yet.
    pub fn end(&mut self, now: &[&str]) -> Vec<String> {
        let mut told = self.align(now);
        for line in self.lines.iter_mut().filter(|line| !line.is_told) {
            line.is_told = true;
            told.push(line.text.clone());
        }
        told
    }

    /// Takes `now` for what is there, each line with what is known of it from before. Returns the lines that have left
    /// the pane's memory at the top before they were told.
    fn align(&mut self, now: &[&str]) -> Vec<String> {
        let mut old = std::mem::take(&mut self.lines);
        let gone = scrolled(&old, now);
        let mut told: Vec<String> = Vec::new();
        told.extend(old.drain(..gone).filter(|line| !line.is_told).map(|line| line.text));
        let mut new: Vec<Line> =
            now.iter().map(|text| Line { text: (*text).to_owned(), looks: 0, is_told: false }).collect();
        for (before, after) in common(&old, now) {
            new[after].looks = old[before].looks.saturating_add(1);
            new[after].is_told = old[before].is_told;
        }
        self.lines = new;
        told
    }

    /// Tells what has stood long enough, down to the first line that has not.
    fn settled(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        let mut is_open = true;
        for line in &mut self.lines {
            is_open &= line.is_told || line.looks >= SETTLED;
            if !line.is_told && (is_open || line.looks >= OLD) {
                line.is_told = true;
                told.push(line.text.clone());
            }
        }
        told
    }
}

/// How many lines of `old` have left at the top: those before the first place at which `now` begins.
fn scrolled(old: &[Line], now: &[&str]) -> usize {
    let anchor = &now[..now.len().min(ANCHOR)];
    if anchor.iter().all(|line| line.is_empty()) {
        return 0;
    }
    let begins = |from: &usize| {
        let rest = &old[*from..];
        !rest.is_empty() && rest.iter().zip(anchor).all(|(line, text)| line.text == **text)
    };
    (0..old.len()).find(begins).unwrap_or(0)
}

/// Pairs of places with the same line in `old` and `now`, in order, as many as there can be.
fn common(old: &[Line], now: &[&str]) -> Vec<(usize, usize)> {
    let same = |a: usize, b: usize| old[a].text == now[b];
    let shorter = old.len().min(now.len());
    let head = (0..shorter).take_while(|n| same(*n, *n)).count();
    let tail = (1..=shorter - head).take_while(|n| same(old.len() - n, now.len() - n)).count();
    let (rows, columns) = (old.len() - head - tail, now.len() - head - tail);
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|n| (n, n)).collect();
    if rows * columns <= PAIRS {
        // longest[a][b]: the longest common part of what follows a and b.
        let mut longest = vec![vec![0_u32; columns + 1]; rows + 1];
        for a in (0..rows).rev() {
            for b in (0..columns).rev() {
                longest[a][b] = match same(head + a, head + b) {
                    true => longest[a + 1][b + 1] + 1,
                    false => longest[a + 1][b].max(longest[a][b + 1]),
                };
            }
        }
        let (mut a, mut b) = (0, 0);
        while a < rows && b < columns {
            if same(head + a, head + b) {
                pairs.push((head + a, head + b));
                (a, b) = (a + 1, b + 1);
            } else if longest[a + 1][b] >= longest[a][b + 1] {
                a += 1;
            } else {
                b += 1;
            }
        }
    }
    pairs.extend((1..=tail).rev().map(|n| (old.len() - n, now.len() - n)));
    pairs
}

#[cfg(test)]
mod tests;
