//! Usage limits, as the accounts of both agents have them: parked until the time that the agent names, and then gone on
//! with, one ticket after the other.

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    faults::told,
    model::{DONE, END, READ, WORK, with},
    stage::{Agent, Stage},
};

with_each_agent!(
    a_usage_limit_parks_the_ticket_with_the_time_it_names,
    a_limit_that_lifts_in_days_is_parked_until_that_day,
    tickets_of_one_account_wait_for_its_limit_and_go_on_one_after_the_other,
);

/// A stage whose agent uses an account that has limits.
fn account(agent: Agent) -> Stage {
    let mut stage = Stage::new(agent);
    if agent == Agent::Claude {
        // With a key of the API the same answer is only tried again.
        stage.world.unset("ANTHROPIC_API_KEY");
        stage.world.set("CLAUDE_CODE_OAUTH_TOKEN", "dummy");
    }
    stage
}

/// The answer that the limit is reached and lifts in `seconds`, with further lines such as `times = 1`.
fn limit(agent: Agent, which: &str, seconds: i64, more: &str) -> String {
    let told = match agent {
        Agent::Claude => format!(
            "kind = 'rate_limit_error', headers = {{ 'anthropic-ratelimit-unified-status' = 'rejected', \
             'anthropic-ratelimit-unified-reset' = '{{reset}}', \
             'anthropic-ratelimit-unified-representative-claim' = '{which}' }}"
        ),
        Agent::Codex => {
            "kind = 'usage_limit_reached', fields = { resets_at = '{reset}', plan_type = 'plus' }".to_owned()
        }
    };
    format!("fail = {{ status = 429, message = 'limited', reset_s = {seconds}, {more} {told} }}")
}

fn parked_until(stage: &Stage, id: &str) -> Timestamp {
    assert_eq!(stage.status(id), "parked usage_limit null", "{}", stage.model.story());
    autodo::format::time::parse_stamp(stage.row(id)["parked_until"].as_str().unwrap_or_default()).unwrap()
}

fn a_usage_limit_parks_the_ticket_with_the_time_it_names(agent: Agent) {
    let stage = account(agent);
    stage.ticket("T-1", &[READ, WORK, &with(DONE, &limit(agent, "five_hour", 7200, ""))]);
    stage.dispatch(0);
    let minutes = parked_until(&stage, "T-1").duration_since(Timestamp::now()).as_mins();
    // What it shows is cut to the minute; two more are waited.
    assert!((119..=123).contains(&minutes), "{minutes} min");
    let words = if agent == Agent::Claude { "resets" } else { "try again at" };
    assert!(told(&stage, "T-1").contains(words), "{}", told(&stage, "T-1"));
    assert_eq!(stage.git("T-1", &["log", "--format=%s", "main.."]), "work", "what was done stays");
}

fn a_limit_that_lifts_in_days_is_parked_until_that_day(agent: Agent) {
    let stage = account(agent);
    let days = 3 * 24 * 3600;
    stage.ticket("T-1", &[READ, WORK, &with(DONE, &limit(agent, "seven_day", days, ""))]);
    stage.dispatch(0);
    let hours = parked_until(&stage, "T-1").duration_since(Timestamp::now()).as_hours();
    assert!((71..=73).contains(&hours), "{hours} h: {}", told(&stage, "T-1"));
}

/// When each start of a ticket was committed.
fn starts(stage: &Stage, id: &str) -> Vec<Timestamp> {
    let at = |event: &Value| autodo::format::time::parse_stamp(event["at"].as_str().unwrap()).unwrap();
    stage.events(id, "start").iter().map(at).collect()
}

fn tickets_of_one_account_wait_for_its_limit_and_go_on_one_after_the_other(agent: Agent) {
    let stage = account(agent);
    stage.settings("parallel = 3\nchecks = []\n[limits]\nafter_reset = \"0s\"");
    // At a full minute, since the agents name no second, and late enough to be reached before.
    let now = Timestamp::now().as_second();
    let lifts = (now + 45) / 60 * 60 + 60;
    // `{reset}` is counted from each request: the time itself stands in its place.
    let limited = limit(agent, "five_hour", 0, &format!("until = {lifts},")).replace("{reset}", &lifts.to_string());
    let begin = with(READ, "gate = 'go'");
    stage.ticket("T-1", &[&begin, WORK, &with(DONE, &limited), END]);
    // Its agent waits for an answer when the other one reaches the limit, and never does so itself.
    stage.ticket("T-2", &[&begin, &with(WORK, "gate = 'late'"), DONE, END]);
    let mut dispatch = stage.world.spawn(&stage.repo, &["dispatch", "--until", "30m"]);
    for id in ["T-1", "T-2"] {
        stage.wait(&format!("{id} to be at work"), || (stage.model.asked(id, 0) > 0).then_some(()));
    }
    stage.model.open("go");
    for id in ["T-1", "T-2"] {
        stage.wait_status(id, "parked usage_limit");
        assert_eq!(parked_until(&stage, id).as_second(), lifts);
    }
    assert!(told(&stage, "T-2").contains("T-1, with the same agent"), "{}", told(&stage, "T-2"));
    assert_eq!(stage.events("T-1", "account_limited").len() + stage.events("T-2", "account_limited").len(), 1);
    dispatch.signal(Signal::SIGKILL);
    stage.end(dispatch, 137);
    // A further one, that hits the next limit as soon as it is started.
    let again = limit(agent, "five_hour", 7200, "");
    stage.ticket("T-3", &[&with(READ, &format!("gate = 'third'\n{again}"))]);
    stage.model.open("late");
    let dispatch = stage.world.spawn(&stage.repo, &["dispatch", "--until", "30m"]);
    stage.wait_status("T-3", "queued");
    for id in ["T-1", "T-2"] {
        stage.wait_status(id, "needs_review");
    }
    stage.model.open("third");
    stage.end(dispatch, 0);
    let lifted = Timestamp::from_second(lifts).unwrap();
    for id in ["T-1", "T-2"] {
        assert_eq!(stage.status(id), "needs_review null true", "{}", stage.model.story());
        let starts = starts(&stage, id);
        assert_eq!(starts.len(), 2, "{id} went on once: {starts:?}");
        assert!(starts[1] >= lifted, "{id}: {starts:?}");
        // In the same conversation, where the agent has one that can be opened again; else in a next run.
        let run = stage.row(id)["run"].as_u64().unwrap();
        let work: &[&str] = if run == 2 && id == "T-1" { &["work", "work"] } else { &["work"] };
        stage.is_proven(id, work);
        assert!(run == 1 || agent == Agent::Codex, "{id}: {run} runs");
        assert_eq!(stage.model.prompts(id).len(), 2, "{}", stage.model.story());
    }
    let minutes = parked_until(&stage, "T-3").duration_since(Timestamp::now()).as_mins();
    assert!((115..=121).contains(&minutes), "{minutes} min");
    let third = starts(&stage, "T-3");
    assert_eq!(third.len(), 1, "it is not tried again: {third:?}");
    let mut all = vec![starts(&stage, "T-1")[1], starts(&stage, "T-2")[1], third[0]];
    all.sort();
    for pair in all.windows(2) {
        assert!(pair[1].duration_since(pair[0]) >= SignedDuration::from_secs(15), "{all:?}");
    }
}
