//! A reading counts once it is the same over two looks: a screen that is being drawn means nothing yet.

use jiff::Timestamp;

use super::classify::for_people;
use crate::domain::screen::Sighting;

/// Two looks are at least so many milliseconds apart: nearer ones may have seen the same half-drawn frame.
pub const GAP_MS: i64 = 40;

/// What a look adds to what is known of a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing: it is as it was.
    Same,
    /// Something else, seen once: look again soon.
    FirstSight,
    /// Something else, seen twice: it counts.
    Changed(Sighting),
}

/// What is known of one pane.
#[derive(Clone, Debug, Default)]
pub struct Stability {
    settled: Option<Sighting>,
    pending: Option<(Timestamp, Sighting)>,
}

impl Stability {
    /// Takes a look at the time `now` into account.
    pub fn look(&mut self, now: Timestamp, seen: Sighting) -> Look {
        if self.settled.as_ref().is_some_and(|settled| same(settled, &seen)) {
            self.pending = None;
            return Look::Same;
        }
        match &self.pending {
            Some((first, pending)) if same(pending, &seen) => {
                // A clock that was set back must not hold a reading up for ever.
                let apart = now.as_millisecond() - first.as_millisecond();
                if (0..GAP_MS).contains(&apart) {
                    return Look::FirstSight;
                }
                self.pending = None;
                self.settled = Some(seen.clone());
                Look::Changed(seen)
            }
            _ => {
                self.pending = Some((now, seen));
                Look::FirstSight
            }
        }
    }

    /// The reading that counts; `None`: none yet.
    #[must_use]
    pub fn settled(&self) -> Option<&Sighting> {
        self.settled.as_ref()
    }

    /// True while something was seen once and waits for its second look.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Forgets all: the pane belongs to a new launch.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// True if two sightings mean the same. Rows scroll and spinners turn; the text counts only where a person reads it.
fn same(a: &Sighting, b: &Sighting) -> bool {
    a.state == b.state
        && a.rule == b.rule
        && a.marker == b.marker
        && a.box_empty == b.box_empty
        && (!for_people(a.state) || a.text == b.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::screen::{Marker, ScreenState};

    fn seen(state: ScreenState, text: &str) -> Sighting {
        Sighting {
            state,
            rule: state.word().into(),
            row: Some(1),
            text: text.into(),
            marker: None,
            box_empty: false,
            choices: vec![],
            takes_words: false,
            request: None,
            lifts: None,
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + ms).unwrap()
    }

    #[test]
    fn a_reading_counts_at_its_second_look() {
        let mut pane = Stability::default();
        let ready = seen(ScreenState::Ready, "");
        assert_eq!(pane.look(at(0), ready.clone()), Look::FirstSight);
        assert_eq!((pane.settled(), pane.is_pending()), (None, true));
        assert_eq!(pane.look(at(GAP_MS), ready.clone()), Look::Changed(ready.clone()));
        assert_eq!(pane.look(at(500), ready.clone()), Look::Same);
        assert_eq!((pane.settled(), pane.is_pending()), (Some(&ready), false));
    }

    #[test]
    fn two_looks_at_the_same_moment_are_one() {
        let mut pane = Stability::default();
        let ready = seen(ScreenState::Ready, "");
        for ms in [0, 0, 1, GAP_MS - 1] {
            assert_eq!(pane.look(at(ms), ready.clone()), Look::FirstSight);
        }
        assert_eq!(pane.look(at(GAP_MS), ready.clone()), Look::Changed(ready));
    }

    #[test]
    fn a_flicker_changes_nothing() {
        let mut pane = Stability::default();
        let (busy, unknown) = (seen(ScreenState::Busy, "1 s"), seen(ScreenState::Unknown, ""));
        pane.look(at(0), busy.clone());
        pane.look(at(100), busy);
        assert_eq!(pane.look(at(200), unknown.clone()), Look::FirstSight);
        assert_eq!(pane.look(at(300), seen(ScreenState::Busy, "3 s")), Look::Same);
        assert_eq!(pane.look(at(400), unknown.clone()), Look::FirstSight);
        assert_eq!(pane.look(at(500), unknown.clone()), Look::Changed(unknown));
    }

    #[test]
    fn a_spinner_is_the_same_and_another_question_is_not() {
        let mut pane = Stability::default();
        assert_eq!(pane.look(at(0), seen(ScreenState::Busy, "1 s")), Look::FirstSight);
        assert_eq!(pane.look(at(100), seen(ScreenState::Busy, "2 s")), Look::Changed(seen(ScreenState::Busy, "2 s")));
        assert_eq!(pane.look(at(200), seen(ScreenState::Question, "a?")), Look::FirstSight);
        assert_eq!(pane.look(at(300), seen(ScreenState::Question, "b?")), Look::FirstSight);
        assert_eq!(
            pane.look(at(400), seen(ScreenState::Question, "b?")),
            Look::Changed(seen(ScreenState::Question, "b?"))
        );
    }

    #[test]
    fn a_marker_that_appears_is_a_change() {
        let mut pane = Stability::default();
        let ready = seen(ScreenState::Ready, "");
        pane.look(at(0), ready.clone());
        pane.look(at(100), ready.clone());
        let done = Sighting { marker: Some(Marker::Done), ..ready };
        assert_eq!(pane.look(at(200), done.clone()), Look::FirstSight);
        assert_eq!(pane.look(at(300), done.clone()), Look::Changed(done));
    }

    #[test]
    fn a_clock_set_back_holds_nothing_up() {
        let mut pane = Stability::default();
        let ready = seen(ScreenState::Ready, "");
        pane.look(at(0), ready.clone());
        assert_eq!(pane.look(at(-900_000), ready.clone()), Look::Changed(ready));
    }

    #[test]
    fn a_new_launch_begins_anew() {
        let mut pane = Stability::default();
        let ready = seen(ScreenState::Ready, "");
        pane.look(at(0), ready.clone());
        pane.look(at(100), ready.clone());
        pane.forget();
        assert_eq!(pane.look(at(200), ready), Look::FirstSight);
    }
}
