//! Properties of review.md: whatever agents say and people write, nothing is lost and nothing breaks.

use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*};

use super::{
    parse, render,
    tests::{fresh, sample, zone},
    text::tests::nasty,
};
use crate::domain::{
    decision::{Decision, Flag},
    review::{CheckLine, FileChange, Question, Review},
    risk::{RiskOrigin, RiskSource, Tier},
};

fn tiers() -> impl Strategy<Value = Tier> {
    prop::sample::select(Tier::ALL.to_vec())
}

prop_compose! {
    fn reviews()(
        title in nasty(), task in nasty(), words in vec(nasty(), 8),
        decisions in vec((tiers(), nasty(), option::of(nasty())), 0..3),
        flags in vec((tiers(), nasty(), option::of(nasty())), 0..2),
        files in vec((nasty(), nasty()), 0..2),
        question in option::of((nasty(), nasty(), vec(nasty(), 0..2))),
        times in (option::of(0i64..4_000_000_000), option::of(any::<u64>())),
    ) -> Review {
        let [status, who, from, project, command, evidence, summary, why] = words.try_into().unwrap();
        Review {
            title, task, status, project,
            launched_by: who,
            launched_from: from,
            started: times.0.map(|second| Timestamp::from_second(second).unwrap()),
            duration_minutes: times.1,
            decisions: decisions.into_iter().map(|(tier, text, why)| Decision { tier, text, why }).collect(),
            flags: flags.into_iter().map(|(tier, text, why)| Flag { tier, text, why }).collect(),
            files: files.into_iter().map(|(path, note)| FileChange { path, note }).collect(),
            question: question.map(|(text, reason, options)| Question { text, reason, options }),
            checks: vec![CheckLine { command: command.clone(), result: why.clone(), passed: false, took_ms: 1, log: command }],
            evidence: vec![evidence],
            summary: Some(summary),
            reason: Some(why.clone()),
            risk_sources: vec![RiskSource { source: RiskOrigin::Agent, tier: Tier::High, why }],
            ..sample()
        }
    }
}

proptest! {
    // Each case is several files, written and read.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_agents_say_is_read_back_and_breaks_nothing(review in reviews(), notes in nasty()) {
        let first = fresh(&review);
        let parsed = parse("r", &first).unwrap();
        prop_assert_eq!(&parsed.decisions, &review.decisions, "{}", first);
        prop_assert_eq!(&parsed.flags, &review.flags, "{}", first);
        prop_assert_eq!(&parsed.files, &review.files, "{}", first);
        let asked = review.question.clone().filter(|q| !(q.text.is_empty() && q.reason.is_empty() && q.options.is_empty()));
        prop_assert_eq!(&parsed.question, &asked, "{}", first);
        prop_assert_eq!(parsed.front.title.as_deref(), Some(review.title.as_str()));
        prop_assert_eq!(parsed.front.status.as_deref(), Some(review.status.as_str()));
        prop_assert_eq!((parsed.front.started, parsed.front.duration_minutes), (review.started, review.duration_minutes));
        let headings: Vec<&str> = first.lines().filter(|line| line.starts_with("## ")).collect();
        prop_assert_eq!(headings.len(), if review.question.is_some() { 8 } else { 7 }, "{}", first);

        let noted = first + &notes;
        let again = render(&review, Some(&noted), &zone());
        prop_assert_eq!(&again.text, &noted);
        prop_assert_eq!(again.edited, Vec::<String>::new());
    }

    #[test]
    fn any_previous_file_is_rendered_once_and_then_stays(
        text in nasty(),
        lump in "(---\n|[abx]: [a-c\\[{#&*|]{0,4}\n|status: x\n|## (Task|Todo|Human Notes|Checks)\n|<!-- autodo wrote: id=0 -->\n|- \\[low\\] x\n|\r\n|`{3}\n|a ){0,12}",
    ) {
        for previous in [text, lump] {
            let once = render(&sample(), Some(&previous), &zone());
            let twice = render(&sample(), Some(&once.text), &zone());
            prop_assert_eq!(&once.text, &twice.text, "{:?}", previous);
            prop_assert_eq!(twice.edited, Vec::<String>::new(), "{:?}", previous);
            prop_assert!(parse("r", &once.text).is_ok());
            let _ = parse("r", &previous);
        }
    }
}
