//! What a launch cost, as its program's status line tells: Claude Code 2.1.197 hands its command a JSON object with
//! `cost.total_cost_usd` after each turn. Any bytes give a result or a reason.
//!
//! A conversation that goes on in a new launch begins with the sum that was saved when an earlier launch ended well:
//! all of it, less after a crash, or nothing. So only what such a launch adds to its first figure is its own, and `spent.json`
//! in its folder holds the first and the latest: `{"version":1,"first":M,"latest":M}`, in millionths of a US dollar.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::usage::MicroUsd;

/// Largest input that is looked at, in bytes.
pub const MAX_STATUS_BYTES: u64 = 1024 * 1024;

/// Most that is believed: a million dollars.
const MOST: f64 = 1e12;

/// The file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Always 1.
    version: u32,
    first: MicroUsd,
    latest: MicroUsd,
}

impl Spent {
    /// With a further figure. They may come out of order: the smallest was the first, the largest is the latest.
    #[must_use]
    pub fn with(before: Option<Self>, now: MicroUsd) -> Self {
        let (first, latest) = before.map_or((now, now), |before| (before.first.min(now), before.latest.max(now)));
        Self { version: 1, first, latest }
    }

    /// What the launch cost. Where the conversation began with it (`is_fresh`), all of it is its own, also what was spent
    /// before the first figure came.
    #[must_use]
    pub fn own(self, is_fresh: bool) -> MicroUsd {
        if is_fresh { self.latest } else { self.latest.saturating_sub(self.first) }
    }

    /// Reads the file; `None`: it is not whole, or of another version.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // Ignored: what cannot be read says nothing, and the next figure writes it anew.
        serde_json::from_slice(bytes).ok().filter(|spent: &Self| spent.version == 1)
    }

    /// The file's text.
    #[must_use]
    pub fn render(self) -> String {
        let Self { version, first, latest } = self;
        format!("{{\"version\":{version},\"first\":{first},\"latest\":{latest}}}\n")
    }
}

/// The figure that a status line was given; `None`: it has none.
#[must_use]
pub fn of_status(bytes: &[u8]) -> Option<MicroUsd> {
    // Ignored: see `Spent::parse`.
    let given: Value = serde_json::from_slice(bytes).ok()?;
    let micro = given.pointer("/cost/total_cost_usd")?.as_f64()? * 1e6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the range")]
    (0.0..=MOST).contains(&micro).then(|| micro.round() as MicroUsd)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_line_tells_the_cost_or_nothing() {
        let cost = |value: &str| of_status(format!("{{\"cost\":{{\"total_cost_usd\":{value}}}}}").as_bytes());
        assert_eq!((cost("0"), cost("0.1212"), cost("12")), (Some(0), Some(121_200), Some(12_000_000)));
        for none in ["null", "-1", "\"1\"", "1e99"] {
            assert_eq!(cost(none), None, "{none}");
        }
        assert_eq!(of_status(b"{}"), None);
    }

    #[test]
    fn only_what_a_launch_adds_is_its_own() {
        let after = |figures: &[u64]| figures.iter().fold(None, |before, now| Some(Spent::with(before, *now))).unwrap();
        assert_eq!(after(&[0, 1000, 2000]).own(false), 2000);
        assert_eq!(after(&[2000, 2000, 3000]).own(false), 1000, "a conversation that goes on");
        assert_eq!(after(&[3000, 2000]).own(false), 1000, "the later one was quicker");
        assert_eq!(after(&[1000, 3000]).own(true), 3000, "what came before the first figure was spent by it, too");
        let spent = after(&[1, 5]);
        assert_eq!(Spent::parse(spent.render().as_bytes()), Some(spent));
        assert_eq!(Spent::parse(b"{\"version\":2,\"first\":1,\"latest\":1}"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(of_status(&bytes).is_none_or(|usd| usd <= 1_000_000_000_000));
            prop_assert!(Spent::parse(&bytes).is_none_or(|spent| spent.version == 1));
        }
    }
}
