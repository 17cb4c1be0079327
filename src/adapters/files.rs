//! The files of a ticket, in `$AUTODO_HOME` and in its worktree.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    fs::{self, Sync},
    home::Home,
};
use crate::{
    domain::{
        id::{DeliveryId, RunId, TicketId},
        measured::{Measured, Needs},
        observed::Observed,
        permission::Tools,
        review::FileChange,
        ticket::{Frozen, Ticket},
    },
    format::{
        accepted,
        permissions::{LaunchPolicy, Live, POLICY_VERSION},
    },
    ports::files::{Files, Places},
};

/// The rules that the hooks of a launch judge by, in the folder of its run.
const POLICY_FILE: &str = "policy.json";

/// What the agent of a run takes of the machine, in the folder of its run.
const MEASURED_FILE: &str = "measured.json";

/// Version of the files with figures.
const FIGURES_VERSION: u32 = 1;

/// A file with figures.
#[derive(serde::Serialize, serde::Deserialize)]
struct Figures<T> {
    version: u32,
    figures: T,
}

fn keep_figures<T: serde::Serialize>(path: &Path, figures: &T) -> Result<(), String> {
    let text = serde_json::to_string(&Figures { version: FIGURES_VERSION, figures }).map_err(|e| e.to_string())?;
    fs::write_atomic(path, format!("{text}\n").as_bytes(), fs::PRIVATE, Sync::None).map_err(|e| e.to_string())
}

/// Figures are for people and for good guesses: what cannot be read is not known.
fn figures<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    let text = fs::look_text(path).present()?;
    // Ignored: see above.
    let read: Figures<T> = serde_json::from_str(&text).ok()?;
    (read.version == FIGURES_VERSION).then_some(read.figures)
}

/// Files below a home.
pub struct HomeFiles {
    home: Home,
    program: PathBuf,
    rules: Mutex<()>,
}

impl HomeFiles {
    /// Files below `home`; `program` is what agents call as `autodo`.
    #[must_use]
    pub fn new(home: Home, program: PathBuf) -> Self {
        Self { home, program, rules: Mutex::new(()) }
    }
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_private(folder).map_err(|e| e.to_string())?;
    }
    fs::write_atomic(path, text.as_bytes(), mode, Sync::Full).map_err(|e| e.to_string())
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::look_text(path) {
        Observed::Present(text) => Ok(Some(text)),
        Observed::Absent => Ok(None),
        Observed::Unknown(why) => Err(why),
    }
}

impl Files for HomeFiles {
    fn accepted(&self, ticket: &TicketId) -> Result<(Ticket, Frozen), String> {
        let path = self.home.ticket_md(ticket);
        let text = fs::read_to_string(&path).map_err(|e| e.to_string())?;
        accepted::parse(&text).map_err(|e| format!("cannot read {}: {e}", path.display()))
    }

    fn give(&self, worktree: &Path, run: &RunId, name: &str, text: &str) -> Result<(), String> {
        let folder = worktree.join(".autodo/run");
        if fs::look_kind(&worktree.join(".git")).is_absent() {
            // Made again, the folder would stand in the way of the worktree itself.
            return Err(format!("the worktree {} is gone", worktree.display()));
        }
        std::fs::create_dir_all(folder.join("outbox")).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        fs::write_atomic(&folder.join(name), text.as_bytes(), 0o644, Sync::None).map_err(|e| e.to_string())?;
        self.keep(run, name, text)
    }

    fn keep(&self, run: &RunId, name: &str, text: &str) -> Result<(), String> {
        write(&self.home.run_dir(run).join(name), text, 0o600)
    }

    fn kept(&self, run: &RunId, name: &str) -> Result<Option<String>, String> {
        read(&self.home.run_dir(run).join(name))
    }

    fn delivery(&self, run: &RunId, id: &DeliveryId) -> Result<Option<String>, String> {
        read(&self.home.delivery_text(run, id))
    }

    fn keep_delivery(&self, run: &RunId, id: &DeliveryId, text: &str) -> Result<(), String> {
        write(&self.home.delivery_text(run, id), text, 0o600)
    }

    fn keep_changes(&self, run: &RunId, files: &[FileChange]) -> Result<(), String> {
        let pairs: Vec<(&str, &str)> = files.iter().map(|f| (f.path.as_str(), f.note.as_str())).collect();
        let text = serde_json::to_string(&pairs).map_err(|e| e.to_string())?;
        self.keep(run, "changes.json", &text)
    }

    fn changes(&self, run: &RunId) -> Vec<FileChange> {
        let Ok(Some(text)) = self.kept(run, "changes.json") else { return vec![] };
        let pairs: Vec<(String, String)> = serde_json::from_str(&text).unwrap_or_default();
        pairs.into_iter().map(|(path, note)| FileChange { path, note }).collect()
    }

    fn tail(&self, ticket: &TicketId, name: &str, bytes: usize) -> String {
        let Ok(all) = fs::read(&self.home.ticket(ticket).join(name)) else { return String::new() };
        let from = all.len().saturating_sub(bytes);
        String::from_utf8_lossy(&all[from..]).into_owned()
    }

    fn tidy(&self, run: &RunId) {
        let mut folders = vec![self.home.run_dir(run)];
        while let Some(folder) = folders.pop() {
            fs::remove_leftovers(&folder);
            let inner = fs::list_dir(&folder).present().unwrap_or_default();
            folders.extend(inner.into_iter().filter(|entry| entry.kind == fs::Kind::Folder).map(|entry| entry.path));
        }
    }

    fn make_folder(&self, folder: &Path) -> Result<(), String> {
        fs::create_dir_private(folder).map_err(|e| e.to_string())
    }

    fn keep_policy(
        &self,
        run: &RunId,
        worktree: &Path,
        repo: &Path,
        rules: &[String],
        tools: &Tools,
    ) -> Result<PathBuf, String> {
        let policy = LaunchPolicy {
            version: POLICY_VERSION,
            worktree: worktree.to_owned(),
            program: self.program.to_string_lossy().into_owned(),
            project: repo.to_owned(),
            live: self.home.live_rules(repo),
            rules: rules.to_vec(),
            tools: tools.clone(),
        };
        self.keep(run, POLICY_FILE, &policy.render()?)?;
        Ok(self.home.run_dir(run).join(POLICY_FILE))
    }

    fn live_rules(&self, repo: &Path) -> Result<Vec<String>, String> {
        let path = self.home.live_rules(repo);
        let Some(text) = read(&path)? else { return Ok(vec![]) };
        Live::parse(&text, repo).map(|live| live.rules).map_err(|why| format!("cannot read {}: {why}", path.display()))
    }

    fn add_rule(&self, repo: &Path, rule: &str) -> Result<(), String> {
        // Two answers at once must not each write the file without the other's rule.
        let _one = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.home.live_rules(repo);
        let text = read(&path)?;
        if let Some(text) = &text {
            Live::parse(text, repo).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        }
        write(&path, &Live::with_rule(text.as_deref(), repo, rule), 0o600)
    }

    fn keep_measured(&self, run: &RunId, measured: &Measured) -> Result<(), String> {
        keep_figures(&self.home.run_dir(run).join(MEASURED_FILE), measured)
    }

    fn measured(&self, run: &RunId) -> Option<Measured> {
        figures(&self.home.run_dir(run).join(MEASURED_FILE))
    }

    fn keep_needs(&self, needs: &Needs) -> Result<(), String> {
        keep_figures(&self.home.needs(), needs)
    }

    fn needs(&self) -> Needs {
        figures(&self.home.needs()).unwrap_or_default()
    }

    fn places(&self) -> &dyn Places {
        self
    }
}

impl Places for HomeFiles {
    fn ticket(&self, ticket: &TicketId) -> PathBuf {
        self.home.ticket(ticket)
    }

    fn run(&self, run: &RunId) -> PathBuf {
        self.home.run_dir(run)
    }

    fn launch(&self, run: &RunId, launch: u32) -> PathBuf {
        self.home.launch_dir(run, launch)
    }

    fn check(&self, run: &RunId, round: u32, index: u32) -> PathBuf {
        self.home.check_dir(run, round, index)
    }

    fn state(&self, ticket: &TicketId, epoch: u32) -> PathBuf {
        self.home.state_dir(ticket, epoch)
    }

    fn wake(&self) -> PathBuf {
        self.home.wake_socket()
    }

    fn agent_tmux(&self) -> PathBuf {
        self.home.runtime().join("agents")
    }

    fn live_rules(&self, repo: &Path) -> PathBuf {
        self.home.live_rules(repo)
    }

    fn program(&self) -> PathBuf {
        self.program.clone()
    }
}
