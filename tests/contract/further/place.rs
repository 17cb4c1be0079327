//! A stage for one of the further agents: what its user has set up, on top of the stage of the others.

use serde_json::json;

use crate::{
    stage::{Agent, Allowed, Stage},
    support::files::repository,
};

/// A further agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Further {
    /// Gemini CLI.
    Gemini,
    /// opencode.
    Opencode,
    /// aider, which has no tools.
    Aider,
}

impl Further {
    /// Its profile, with what the stage's user allowed.
    fn profile(self) -> &'static str {
        match self {
            Self::Gemini => "gemini-here",
            Self::Opencode => "opencode",
            Self::Aider => "aider-here",
        }
    }

    /// A step that reads the task without a question.
    pub fn read(self) -> &'static str {
        match self {
            // Its shell asks for `cat` as well.
            Self::Gemini => {
                "[[step]]\nsay = 'I read my task.'\ntool = { name = 'read_file', input = { file_path = '.autodo/run/prompt.md' } }\n"
            }
            // It was shown the task.
            Self::Aider => "",
            Self::Opencode => {
                "[[step]]\nsay = 'I read my task.'\ntool = { name = 'read', input = { filePath = '.autodo/run/prompt.md' } }\n"
            }
        }
    }

    /// The key that says yes to a permission.
    pub fn yes(self) -> &'static str {
        match self {
            Self::Gemini => "1",
            Self::Opencode => "Enter",
            Self::Aider => "y",
        }
    }

    /// Its conversations can be opened again.
    pub fn is_resumable(self) -> bool {
        match self {
            Self::Gemini | Self::Aider => true,
            Self::Opencode => false,
        }
    }

    /// A call that was denied is no longer in its conversation.
    pub fn forgets_what_was_denied(self) -> bool {
        self == Self::Gemini
    }

    /// Its processes, the oldest first.
    pub fn processes(self, stage: &Stage) -> Vec<i32> {
        let program = match self {
            Self::Gemini => "bin/gemini ",
            Self::Opencode => "opencode",
            Self::Aider => "bin/aider ",
        };
        let all = stage.world.processes().into_iter();
        // The launch wrapper has the same words behind its own.
        let own = all.filter(|(_, argv)| argv.contains(program) && !argv.contains("launch"));
        let mut pids: Vec<i32> = own.map(|(pid, _)| pid).collect();
        pids.sort_unstable();
        pids
    }
}

/// A stage with what its user allowed, and whether the folder is trusted.
pub fn further(agent: Further, allowed: Allowed, trusted: bool) -> Stage {
    let mut stage = Stage::new(Agent::Codex);
    let bin = repository().join(".tools/more/node_modules/.bin");
    let path = std::env::var("PATH").unwrap();
    stage.world.set("PATH", format!("{}:{path}", bin.display()));
    match agent {
        Further::Gemini => gemini(&mut stage, &bin, allowed, trusted),
        Further::Opencode => opencode(&mut stage, &bin, allowed),
        Further::Aider => aider(&mut stage),
    }
    // Gemini CLI's shell sees no other git settings than those of the home.
    let identity = std::fs::read_to_string(stage.world.root().join("gitconfig")).unwrap();
    write(&stage, "home/.gitconfig", &identity);
    settings(&stage, agent, "");
    stage
}

/// The project's settings; it has no checks.
pub fn settings(stage: &Stage, agent: Further, more: &str) {
    stage.repo.settings(&format!("version = 1\nprofile = \"{}\"\nchecks = []\n{more}\n", agent.profile()));
}

fn write(stage: &Stage, path: &str, text: &str) {
    let path = stage.world.root().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn gemini(stage: &mut Stage, bin: &std::path::Path, allowed: Allowed, trusted: bool) {
    assert!(bin.join("gemini").exists(), "no gemini in {}: run scripts/contract, which installs it", bin.display());
    stage.world.set("GEMINI_API_KEY", "dummy");
    stage.world.set("GOOGLE_GEMINI_BASE_URL", stage.model.address());
    let settings = json!({
        "security": { "auth": { "selectedType": "gemini-api-key" } },
        "privacy": { "usageStatisticsEnabled": false },
        "general": { "enableAutoUpdate": false, "enableAutoUpdateNotification": false, "maxAttempts": 2 },
        // With the model "auto" another one is asked first which to take.
        "model": { "name": "gemini-2.5-pro" },
    });
    write(stage, "home/.gemini/settings.json", &settings.to_string());
    if trusted {
        let folders = json!({ stage.world.root().join("p.worktrees").display().to_string(): "TRUST_FOLDER" });
        write(stage, "home/.gemini/trustedFolders.json", &folders.to_string());
    }
    let mode = if allowed == Allowed::Commands { "yolo" } else { "default" };
    let profile =
        format!("version = 1\nname = \"gemini-here\"\nextends = \"gemini\"\n[options]\napproval_mode = \"{mode}\"\n");
    write(stage, "ad/profiles/gemini-here.toml", &profile);
}

fn opencode(stage: &mut Stage, bin: &std::path::Path, allowed: Allowed) {
    assert!(bin.join("opencode").exists(), "no opencode in {}: run scripts/contract, which installs it", bin.display());
    for name in ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD"] {
        stage.world.set(name, "1");
    }
    // It asks for nothing unless it is told to.
    let permission =
        if allowed == Allowed::Commands { json!("allow") } else { json!({ "bash": "ask", "edit": "ask" }) };
    let settings = json!({
        "autoupdate": false, "share": "disabled", "permission": permission,
        "model": "scripted/one", "small_model": "scripted/one",
        "provider": { "scripted": {
            "npm": "@ai-sdk/anthropic", "name": "Scripted",
            "options": { "baseURL": format!("{}/v1", stage.model.address()), "apiKey": "dummy" },
            "models": { "one": { "name": "One", "limit": { "context": 200_000, "output": 8_000 } } },
        } },
    });
    write(stage, "home/.config/opencode/opencode.json", &settings.to_string());
}

fn aider(stage: &mut Stage) {
    let bin = repository().join(".tools/aider/bin");
    assert!(bin.join("aider").exists(), "no aider in {}: run scripts/contract, which installs it", bin.display());
    let path = std::env::var("PATH").unwrap();
    stage.world.set("PATH", format!("{}:{path}", bin.display()));
    stage.world.set("ANTHROPIC_API_BASE", stage.model.address());
    let profile = "version = 1\nname = \"aider-here\"\nextends = \"aider\"\n[options]\n\
                   model = \"anthropic/claude-3-5-sonnet-20241022\"\n";
    write(stage, "ad/profiles/aider-here.toml", profile);
}
