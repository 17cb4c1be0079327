//! What `doctor` says of login and trust, on the real programs.

use serde_json::Value;

use crate::stage::{Agent, Allowed, Stage};

with_each_agent!(doctor_says_who_is_logged_in_and_what_is_trusted,);

/// Status, detail and fix of a check.
fn told(stage: &Stage, name: &str) -> [String; 3] {
    let said = stage.autodo(&["doctor", "--json"]).ok().json();
    let check = said["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap_or(&Value::Null);
    ["status", "detail", "fix"].map(|key| check[key].as_str().unwrap_or_default().to_owned())
}

fn doctor_says_who_is_logged_in_and_what_is_trusted(agent: Agent) {
    let (name, key) = match agent {
        Agent::Claude => ("claude", "ok"),
        // It has a provider of its own, whose key is no login.
        Agent::Codex => ("codex-here", "warn"),
    };
    let mut stage = Stage::new(agent);
    let [status, detail, _] = told(&stage, &format!("agent:{name}"));
    assert!(status == "ok" && !detail.contains("was checked against"), "{detail}");
    assert_eq!(told(&stage, &format!("trust:{name}"))[0], "ok");
    let [status, detail, _] = told(&stage, &format!("login:{name}"));
    assert_eq!(status, key, "{detail}");
    stage.world.unset("ANTHROPIC_API_KEY");
    let [status, detail, fix] = told(&stage, &format!("login:{name}"));
    let words = if agent == Agent::Claude { "\"loggedIn\": false" } else { "Not logged in" };
    assert!(status == "warn" && detail.contains(words), "{detail}");
    assert!(fix.contains(if agent == Agent::Claude { "run claude once" } else { "codex login" }), "{fix}");
    let stage = Stage::with(agent, Allowed::Commands, false);
    let [status, detail, fix] = told(&stage, &format!("trust:{name}"));
    assert!(status == "warn" && detail.contains("not trusted") && fix.contains("trust it"), "{detail}: {fix}");
}
