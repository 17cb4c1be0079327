//! The profiles that are part of the binary: their rules over golden screens, and the schema over what users write.

use std::{
    fs,
    path::{Path, PathBuf},
};

use autodo::{
    agent::{
        classify::{BoxSeen, box_content, classify, holding},
        launch::{LaunchVars, launch},
        profile::{Library, Profile, ProfileError, builtin},
        prompt::{self, Answered, Capabilities, PromptInput},
    },
    domain::{
        id::{RunId, RunKey, TicketId},
        run::LaunchKind,
        screen::{Marker, Screen, ScreenState, Sighting},
    },
};

#[test]
fn the_whole_prompt_reads_well() {
    let mut input = PromptInput {
        run: RunId { ticket: TicketId::parse("T-12").unwrap(), number: 2 },
        key: RunKey::from_bits(0x7f3a_0001),
        title: "Cache the parsed config".into(),
        body: "It is parsed on every call.\n\n## Acceptance\n\n- [ ] parsed once\n- [ ] no API changes\n".into(),
        acceptance: vec!["parsed once".into(), "no API changes".into()],
        commands: vec!["cargo test".into()],
        autodo: "/home/ada/.claude/autodo/bin/autodo".into(),
        worktree: "/src/shop.worktrees/T-12".into(),
        branch: "autodo/T-12".into(),
        target: Some("main".into()),
        corrections: vec!["Keep the old name.\nIt is public.".into()],
        answers: vec![Answered { question: "Which cache?".into(), answer: "A OnceCell.".into() }],
        notes: vec!["The last run ended when the machine was restarted.".into()],
        can: Capabilities { feedback: true, resumable: true },
    };
    insta::assert_snapshot!("prompt_of_a_second_run", prompt::prompt_file(&input, prompt::TEMPLATE).unwrap());
    input.run.number = 1;
    input.can = Capabilities::default();
    (input.acceptance, input.commands, input.corrections, input.answers, input.notes) = Default::default();
    insta::assert_snapshot!("prompt_of_a_first_run", prompt::prompt_file(&input, prompt::TEMPLATE).unwrap());
}
