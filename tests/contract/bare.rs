//! Claude Code without its hooks: all that they tell is seen on the screen as well.

use crate::{
    asks, faults,
    model::{DONE, END, READ, WORK},
    prompts, quick,
    stage::{Agent, Stage},
};

/// The same scenarios, in a home that switches the hooks off.
macro_rules! without_hooks {
    ($($room:ident::$name:ident),+ $(,)?) => {
        mod without_hooks {
            $(#[test] fn $name() {
                crate::stage::switch_hooks_off();
                super::$room::$name(crate::stage::Agent::Claude);
            })+
        }
    };
}

without_hooks!(
    quick::a_ticket_is_done_committed_reported_and_proven,
    quick::a_question_is_answered_and_the_same_conversation_goes_on,
    asks::a_permission_is_asked_with_its_command_and_given_by_name,
    faults::an_agent_that_is_killed_gets_a_next_run,
    faults::a_turn_that_ends_without_a_report_is_nudged_once_and_then_parked,
    prompts::an_answer_of_100_kb_arrives_as_it_is,
    prompts::words_for_a_busy_agent_are_queued_by_it_or_told_unsent,
);

#[test]
fn a_repository_that_switches_hooks_off_for_itself_switches_off_its_own() {
    let stage = Stage::new(Agent::Claude);
    let own = r#"{ "disableAllHooks": true }"#;
    stage.repo.commit(&[(".claude/settings.json", own)], "no hooks here");
    stage.ticket("T-1", &[READ, WORK, DONE, END]);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    assert!(stage.hooks() > 0, "{}", stage.model.story());
}
