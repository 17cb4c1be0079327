//! What a ticket's runs have used, as far as the agent's own records say: tokens and money. Nothing is computed from a
//! price list, and what nobody said is unknown, never 0.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::row::Row;

/// Millionths of a US dollar: whole numbers, so that sums are exact.
pub type MicroUsd = u64;

/// In US dollars.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact up to nine thousand million dollars")]
pub fn dollars(micro: MicroUsd) -> f64 {
    micro as f64 / 1e6
}

/// A sum for people: `$0.42`.
#[must_use]
pub fn usd(micro: MicroUsd) -> String {
    format!("${:.2}", dollars(micro))
}

/// Tokens, by what they cost: each is counted in exactly one of the four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Read by the model, from no cache.
    pub input: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written into the cache.
    pub cache_write: u64,
    /// Written by the model.
    pub output: u64,
}

impl Tokens {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        [self.cache_read, self.cache_write, self.output].into_iter().fold(self.input, u64::saturating_add)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        self.with(more, u64::saturating_add)
    }

    /// What `self` has more than `less`; 0 where it has not.
    #[must_use]
    pub fn minus(self, less: Self) -> Self {
        self.with(less, u64::saturating_sub)
    }

    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.with(other, u64::max)
    }

    fn with(self, other: Self, both: fn(u64, u64) -> u64) -> Self {
        Self {
            input: both(self.input, other.input),
            cache_read: both(self.cache_read, other.cache_read),
            cache_write: both(self.cache_write, other.cache_write),
            output: both(self.output, other.output),
        }
    }
}

/// What one run has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunUsage {
    /// Its number.
    pub run: u32,
    /// The launch that [`RunUsage::launch_usd`] is about.
    #[serde(default)]
    pub launch: u32,
    /// What the launches before that one cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_usd: Option<MicroUsd>,
    /// What that launch cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_usd: Option<MicroUsd>,
    /// Tokens of all launches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

impl RunUsage {
    /// What the run cost so far; `None`: nobody said.
    #[must_use]
    pub fn usd(&self) -> Option<MicroUsd> {
        match (self.earlier_usd, self.launch_usd) {
            (None, None) => None,
            (earlier, now) => Some(earlier.unwrap_or(0).saturating_add(now.unwrap_or(0))),
        }
    }
}

/// How far an agent's record of a conversation was taken in, and what is needed to go on from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The file.
    pub path: PathBuf,
    /// Bytes that were taken in: up to the end of a line.
    pub offset: u64,
    /// Tokens that this file alone counted for the present run, without those of helpers.
    #[serde(default)]
    pub own: Tokens,
    /// Where the file tells running totals: the latest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Tokens>,
    /// Where it tells tokens message by message: the latest messages, since one may be told again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<(String, Tokens)>,
}

/// What is newly known of a launch from the agent's own records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The id of its conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// How far the record was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// What this launch cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<MicroUsd>,
    /// Tokens of this run so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

impl Row {
    /// What the present run has used; `None`: nothing is known of it yet.
    #[must_use]
    pub fn run_usage(&self) -> Option<&RunUsage> {
        self.usage.iter().find(|usage| usage.run == self.run)
    }

    /// What all runs together have cost, as far as it is known: at least so much. `None`: nothing is known.
    #[must_use]
    pub fn spent(&self) -> Option<MicroUsd> {
        self.usage.iter().filter_map(RunUsage::usd).reduce(MicroUsd::saturating_add)
    }

    /// As [`Row::spent`], in US dollars.
    #[must_use]
    pub fn spent_usd(&self) -> Option<f64> {
        self.spent().map(dollars)
    }

    /// True if every run that had a session has told what it cost: then [`Row::spent`] is all.
    #[must_use]
    pub fn is_cost_known(&self) -> bool {
        !self.usage.is_empty() && self.usage.iter().all(|usage| usage.usd().is_some())
    }

    /// The tokens of all runs together; `None` where those of one run are not known.
    #[must_use]
    pub fn tokens(&self) -> Option<Tokens> {
        let all = self.usage.iter().map(|usage| usage.tokens);
        all.reduce(|sum, run| Some(sum?.plus(run?))).flatten()
    }

    /// What all runs together have cost, for people: `$0.42`, `$0.42+` where some of it is not known, `-` where nothing
    /// is.
    #[must_use]
    pub fn cost_words(&self) -> String {
        match self.spent_usd() {
            None => "-".to_owned(),
            Some(usd) => format!("${usd:.2}{}", if self.is_cost_known() { "" } else { "+" }),
        }
    }

    /// Cost and tokens, for people: `$0.42, 12.3k tokens`; `-` where neither is known.
    #[must_use]
    pub fn used_words(&self) -> String {
        let cost = self.cost_words();
        let Some(total) = self.tokens().map(Tokens::total) else { return cost };
        #[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
        let many = total as f64;
        let tokens = match total {
            0..1_000 => total.to_string(),
            1_000..1_000_000 => format!("{:.1}k", many / 1e3),
            _ => format!("{:.1}M", many / 1e6),
        };
        format!("{cost}, {tokens} tokens")
    }

    /// The entry of the present run.
    fn usage_of_run(&mut self) -> &mut RunUsage {
        let run = self.run;
        let at = self.usage.iter().position(|usage| usage.run == run).unwrap_or_else(|| {
            self.usage.push(RunUsage { run, ..RunUsage::default() });
            self.usage.len() - 1
        });
        &mut self.usage[at]
    }

    /// A session of the present run is open: what it costs is unknown until somebody says so.
    pub fn usage_begins(&mut self) {
        self.usage_of_run();
    }

    /// Takes in what is newly known of the present launch. What one launch costs never counts for another.
    pub fn note_usage(&mut self, noted: &Noted) {
        let launch = self.launch;
        if noted.usd.is_some() || noted.tokens.is_some() {
            let usage = self.usage_of_run();
            if let Some(usd) = noted.usd {
                if usage.launch != launch {
                    usage.earlier_usd = usage.usd();
                    usage.launch_usd = None;
                    usage.launch = launch;
                }
                usage.launch_usd = Some(usage.launch_usd.unwrap_or(0).max(usd));
            }
            if let Some(tokens) = noted.tokens {
                usage.tokens = Some(usage.tokens.unwrap_or_default().max(tokens));
            }
        }
        if self.conversation.is_none() {
            self.conversation.clone_from(&noted.conversation);
        }
        if noted.mark.is_some() {
            self.record.clone_from(&noted.mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    fn noted(usd: Option<u64>, output: Option<u64>) -> Noted {
        let tokens = output.map(|output| Tokens { output, ..Tokens::default() });
        Noted { usd, tokens, ..Noted::default() }
    }

    fn at(run: u32, launch: u32) -> Row {
        Row { run, launch, ..samples::row("T-1") }
    }

    #[test]
    fn what_nobody_said_is_unknown_and_never_zero() {
        let mut row = at(1, 1);
        assert_eq!((row.spent(), row.is_cost_known(), row.tokens()), (None, false, None));
        row.usage_begins();
        assert_eq!((row.spent(), row.is_cost_known(), row.tokens()), (None, false, None));
        row.note_usage(&noted(Some(0), None));
        assert_eq!((row.spent(), row.is_cost_known(), row.tokens()), (Some(0), true, None));
    }

    #[test]
    fn launches_and_runs_add_up_and_nothing_counts_twice() {
        let mut row = at(1, 1);
        row.note_usage(&noted(Some(10), Some(5)));
        row.note_usage(&noted(Some(30), Some(9)));
        row.note_usage(&noted(Some(30), Some(9)));
        assert_eq!((row.spent(), row.tokens().map(Tokens::total)), (Some(30), Some(9)));
        // Another launch of the same run begins at nothing again; its tokens go on.
        row.launch = 2;
        row.note_usage(&noted(Some(0), Some(9)));
        row.note_usage(&noted(Some(4), Some(12)));
        assert_eq!((row.spent(), row.tokens().map(Tokens::total)), (Some(34), Some(12)));
        (row.run, row.launch) = (2, 1);
        row.usage_begins();
        assert_eq!((row.spent(), row.is_cost_known(), row.tokens()), (Some(34), false, None));
        row.note_usage(&noted(Some(6), Some(1)));
        assert_eq!((row.spent(), row.is_cost_known()), (Some(40), true));
        assert_eq!(row.tokens().map(Tokens::total), Some(13));
        assert_eq!(row.spent_usd(), Some(0.000_04));
        assert_eq!(row.used_words(), "$0.00, 13 tokens");
        row.note_usage(&noted(Some(1_234_000), Some(12_345)));
        assert_eq!(row.used_words(), "$1.23, 12.4k tokens");
        row.run = 3;
        row.usage_begins();
        assert_eq!(row.used_words(), "$1.23+");
        assert_eq!(samples::row("T-2").used_words(), "-");
    }

    #[test]
    fn a_conversation_that_is_known_keeps_its_id() {
        let mut row = at(1, 1);
        let of = |id: &str| Noted { conversation: Some(id.into()), ..Noted::default() };
        row.note_usage(&of("a"));
        row.note_usage(&of("b"));
        assert_eq!(row.conversation.as_deref(), Some("a"));
    }
}
