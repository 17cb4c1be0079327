//! The one table of all settings, and the typed settings that are read through it.

use std::path::PathBuf;

use super::{
    layer::{Layer, Origin, Values},
    problem::ConfigProblem,
    value::{Kind, Seconds, Value},
};
use crate::domain::{
    ticket::{Frozen, Limits, Ticket, WorktreeSetup},
    usage::MicroUsd,
};

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name in files: the key, after its table and a dot where it is in one.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it does, as its row in the source says it.
    pub doc: &'static str,
    /// What holds where no layer says anything, in words; `None`: the built-in value says it.
    pub otherwise: Option<&'static str>,
    /// The built-in value.
    pub built_in: fn() -> Value,
}

impl Definition {
    /// The definition of the setting `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|d| d.name == name)
    }

    /// What it does, in one line.
    #[must_use]
    pub fn meaning(&self) -> String {
        self.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// Its environment variable: `limits.run` is `AUTODO_LIMITS_RUN`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("AUTODO_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// One setting as `autodo config` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its value as TOML writes it; `None`: unset.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it does, in one line.
    pub doc: String,
    /// What holds while it is unset.
    pub otherwise: Option<&'static str>,
}

/// A type that a setting can have. Only values that the setting's own [`Kind`] made are ever passed to `of`.
trait Held: Sized {
    fn of(value: Value) -> Option<Self>;
    fn value(&self) -> Value;
}

macro_rules! held {
    ($($variant:ident => $type:ty),+ $(,)?) => {$(
        impl Held for $type {
            fn of(value: Value) -> Option<Self> {
                match value { Value::$variant(inner) => Some(inner), _ => None }
            }
            fn value(&self) -> Value {
                Value::$variant(self.clone())
            }
        }
        impl Held for Option<$type> {
            fn of(value: Value) -> Option<Self> {
                match value { Value::$variant(inner) => Some(Some(inner)), Value::Unset => Some(None), _ => None }
            }
            fn value(&self) -> Value {
                self.clone().map_or(Value::Unset, Value::$variant)
            }
        }
    )+};
}
held!(
    Text => String, Path => PathBuf, Number => u32, Span => Seconds, Usd => MicroUsd, Switch => bool, List => Vec<String>
);

/// Makes, from one row for each setting, the table and the typed struct.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $name:literal, $kind:expr, $built_in:expr $(, else $otherwise:literal)?;)+) => {
        /// All settings, each with its origin. One field a row of [`TABLE`].
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $field: Sourced<$type>,)+
        }

        /// Every setting there is, in the order of the reference.
        pub const TABLE: &[Definition] = &[$(Definition {
            name: $name,
            kind: $kind,
            doc: concat!($($doc, "\n"),+),
            otherwise: { let otherwise: Option<&'static str> = None; $(let otherwise = match otherwise { None => Some($otherwise), some => some };)? otherwise },
            built_in: || $built_in,
        }),+];

        impl Settings {
            /// Takes the values out by name.
            fn of(values: &mut Values) -> Option<Self> {
                Some(Self { $($field: take(values, $name)?,)+ })
            }

            /// All values with their origins, in the order of the table.
            fn shown(&self) -> Vec<(Value, &Origin)> {
                vec![$((self.$field.value.value(), &self.$field.origin)),+]
            }
        }
    };
}

/// Takes one value out; `None` would mean that a row's kind and type differ, which a test excludes.
fn take<T: Held>(values: &mut Values, name: &'static str) -> Option<Sourced<T>> {
    let (value, origin) = values.remove(name)?;
    Some(Sourced { value: T::of(value)?, origin })
}

const SECOND: Kind = Kind::Span { min: 1, max: Seconds::LONGEST };

settings! {
    /// Agent profile of tickets that name none.
    profile: String = "profile", Kind::Text, Value::Text("script".to_owned());
    /// Where a ticket's branch starts: a branch, tag or commit of the checkout when the ticket is accepted.
    base: String = "base", Kind::Text, Value::Text("HEAD".to_owned());
    /// Commands that autodo runs in the worktree after an agent says that it is done; all must exit 0.
    /// An empty list says that the project has none.
    checks: Option<Vec<String>> = "checks", Kind::List, Value::Unset, else "nobody has said: results stay unchecked";
    /// Rules for what agents ask to be allowed, such as `"allow Bash cargo test"` or `"deny Bash git push *"`: the first
    /// that matches decides, and where none does a person is asked.
    permissions: Vec<String> = "permissions", Kind::Rules, Value::List(Vec::new());
    /// How many tickets are worked on at once.
    parallel: Option<u32> = "parallel", Kind::Number { min: 1, max: 1000 }, Value::Unset,
        else "from the number of cores and the free memory";
    /// Least time between two starts of agents.
    stagger: Seconds = "stagger", Kind::Span { min: 0, max: 86_400 }, Value::Span(Seconds(0));
    /// How many sessions of blocked tickets stay open; above it those that can be resumed are closed.
    keep_blocked: u32 = "keep_blocked", Kind::Number { min: 0, max: 1000 }, Value::Number(8);
    /// Model that the agent is asked to use, where its profile can pass one on.
    model: Option<String> = "model", Kind::Text, Value::Unset, else "the agent's own choice";
    /// Folder for the worktrees, absolute or relative to the checkout. Never inside the checkout.
    worktree_root: Option<PathBuf> = "worktree.root", Kind::Path, Value::Unset, else "`<checkout>.worktrees`, beside it";
    /// Globs of untracked files that are copied from the checkout into a fresh worktree.
    worktree_copy: Vec<String> = "worktree.copy", Kind::List, Value::List(Vec::new());
    /// Globs of untracked files and folders that a fresh worktree links to.
    worktree_symlink: Vec<String> = "worktree.symlink", Kind::List, Value::List(Vec::new());
    /// Commands that are run in a fresh worktree before the agent starts.
    worktree_setup: Vec<String> = "worktree.setup", Kind::List, Value::List(Vec::new());
    /// Longest time that one of these commands may take.
    worktree_setup_limit: Seconds = "worktree.setup_limit", SECOND, Value::Span(Seconds(900));
    /// Whether a fresh worktree gets the submodules that the checkout has, from its clones of them.
    worktree_submodules: bool = "worktree.submodules", Kind::Switch, Value::Switch(true);
    /// Checkouts that are made ahead while nothing else is checked out, so that a ticket's worktree is there at once.
    /// Each takes the disk space of one.
    worktree_pool: u32 = "worktree.pool", Kind::Number { min: 0, max: 100 }, Value::Number(0);
    /// Longest time that one run may work; `"0s"`: as long as it likes. A ticket's own limit goes before.
    limits_run: Option<Seconds> = "limits.run", Kind::Span { min: 0, max: Seconds::LONGEST }, Value::Unset, else "the profile's";
    /// Longest time from the launch until the agent is ready for a prompt.
    limits_start: Option<Seconds> = "limits.start", SECOND, Value::Unset, else "the profile's";
    /// Longest time that the delivery of one prompt may take.
    limits_delivery: Option<Seconds> = "limits.delivery", SECOND, Value::Unset, else "the profile's";
    /// Time without any sign of life after which an agent counts as stalled.
    limits_stall: Option<Seconds> = "limits.stall", SECOND, Value::Unset, else "the profile's";
    /// Longest time that one check may take.
    limits_check: Option<Seconds> = "limits.check", SECOND, Value::Unset, else "the profile's";
    /// Most that may be spent on one ticket, in US dollars, as far as its agent tells what it costs. A ticket's own budget
    /// goes before.
    limits_budget: Option<MicroUsd> = "limits.budget", Kind::Usd, Value::Unset, else "no budget";
    /// How many times failed checks go back to the agent, where its profile can take them.
    limits_feedback_rounds: Option<u32> = "limits.feedback_rounds", Kind::Number { min: 0, max: 100 }, Value::Unset,
        else "the profile's";
    /// The crash of the agent's own that makes its ticket failed.
    limits_crashes: Option<u32> = "limits.crashes", Kind::Number { min: 1, max: 100 }, Value::Unset,
        else "the profile's";
    /// Wait after the first crash; doubled each time, at most five minutes.
    limits_backoff: Option<Seconds> = "limits.backoff", Kind::Span { min: 0, max: 300 }, Value::Unset,
        else "the profile's";
    /// Time after the one that a usage limit names, such as "resets 6:16pm", until it counts as lifted.
    limits_after_reset: Option<Seconds> = "limits.after_reset", Kind::Span { min: 0, max: 86_400 }, Value::Unset,
        else "the profile's, which is 2m where it says nothing";
    /// Memory that must be free for each start of a ticket, in MiB; where it is not, the ticket waits. 0: not looked at.
    admission_memory_mb: u32 = "admission.memory_mb", Kind::Number { min: 0, max: u32::MAX }, Value::Number(256);
    /// Whether what the latest runs of the same agent took, measured, must be free for a start beside others, where that
    /// is more than `admission.memory_mb`.
    admission_measured: bool = "admission.measured", Kind::Switch, Value::Switch(true);
    /// Disk space that must be free for each start of a ticket, in MiB, where the home and the worktrees lie; where it is
    /// not, the ticket waits. 0: not looked at.
    admission_disk_mb: u32 = "admission.disk_mb", Kind::Number { min: 0, max: u32::MAX }, Value::Number(512);
    /// How many commands run at once under `autodo heavy`, of all projects of this user on the machine.
    heavy_slots: Option<u32> = "heavy.slots", Kind::Number { min: 1, max: 1000 }, Value::Unset, else "one for every eight cores";
    /// Memory that must be free before a heavy command begins, in MiB. 0: not looked at.
    heavy_memory_mb: u32 = "heavy.memory_mb", Kind::Number { min: 0, max: u32::MAX }, Value::Number(0);
    /// Folder of the slots, which all who share them must name alike.
    heavy_folder: Option<PathBuf> = "heavy.folder", Kind::Path, Value::Unset, else "`/tmp/autodo-<uid>/heavy`";
    /// Whether a batch asks the agents first whether somebody is logged in, and does not begin where nobody is.
    preflight_login: bool = "preflight.login", Kind::Switch, Value::Switch(true);
    /// Whether a batch looks first whether the agents trust the project's folder, and does not begin where they do not.
    preflight_trust: bool = "preflight.trust", Kind::Switch, Value::Switch(true);
    /// Whether a batch runs the project's checks on its base first, in a checkout of their own, and does not begin where
    /// one fails: every ticket would fail it too.
    preflight_base: bool = "preflight.base", Kind::Switch, Value::Switch(true);
    /// Whether a batch looks first for usage limits that its own tickets have reached, and that the agents' records tell
    /// of, and does not begin where all its agents are limited until after its last start.
    preflight_limits: bool = "preflight.limits", Kind::Switch, Value::Switch(true);
    /// A line of `sh` that says before a batch begins whether there is quota: exit code 0, or what it prints is why not.
    preflight_quota: Option<String> = "preflight.quota", Kind::Text, Value::Unset, else "nothing is asked";
    /// Disk space that must be free before a batch begins, in MiB, where the home and where the worktrees lie.
    preflight_disk_mb: u32 = "preflight.disk_mb", Kind::Number { min: 0, max: u32::MAX }, Value::Number(1024);
    /// Memory that must be free before a batch begins, in MiB.
    preflight_memory_mb: u32 = "preflight.memory_mb", Kind::Number { min: 0, max: u32::MAX }, Value::Number(512);
    /// Whether what needs a person is shown on autodo's own tmux server (options `@autodo_*`) and, by `dispatch`, in the
    /// title of its terminal, with its bell where it is urgent.
    notify_badge: bool = "notify.badge", Kind::Switch, Value::Switch(true);
    /// Whether what needs a person is entered in the project's `TODO.md`, under `## Autonomous Review Queue`. It makes
    /// the checkout dirty.
    notify_todo: bool = "notify.todo", Kind::Switch, Value::Switch(false);
    /// Channels by which a person is told: `command`, `ntfy`, `slack`, `discord`, `telegram`, `pushover`, `apprise`,
    /// `desktop`.
    notify_channels: Vec<String> = "notify.channels", Kind::List, Value::List(Vec::new());
    /// What they are told: `urgent` (blocked, failed, parked until a person), or `review`, which is that and every result
    /// that waits for a review.
    notify_from: String = "notify.from", Kind::Text, Value::Text("urgent".to_owned());
    /// Times of day between which nothing is sent, such as `"22:00-07:00"`; what came meanwhile follows in one message.
    notify_quiet: Option<String> = "notify.quiet", Kind::Text, Value::Unset, else "no quiet hours";
    /// Whether the page of each `dispatch` that ends is sent, in short.
    notify_summary: bool = "notify.summary", Kind::Switch, Value::Switch(false);
    /// Longest time that one message may take.
    notify_limit: Seconds = "notify.limit", Kind::Span { min: 1, max: 300 }, Value::Span(Seconds(20));
    /// For `command`: a line of `sh` that gets each message as JSON on its standard input, and as `NOTICE_*` variables.
    notify_command: Option<String> = "notify.command", Kind::Text, Value::Unset, else "there is none";
    /// For `ntfy`: the topic's address, such as `https://ntfy.sh/my-secret-topic`.
    notify_ntfy_url: Option<String> = "notify.ntfy.url", Kind::Text, Value::Unset, else "there is none";
    /// For `ntfy`: the variable that holds its access token.
    notify_ntfy_token_env: Option<String> = "notify.ntfy.token_env", Kind::Text, Value::Unset, else "no token";
    /// For `ntfy`: the file that holds its access token.
    notify_ntfy_token_file: Option<PathBuf> = "notify.ntfy.token_file", Kind::Path, Value::Unset, else "no token";
    /// For `slack`: the variable that holds the address of an incoming webhook.
    notify_slack_url_env: Option<String> = "notify.slack.url_env", Kind::Text, Value::Unset, else "there is none";
    /// For `slack`: the file that holds the address of an incoming webhook.
    notify_slack_url_file: Option<PathBuf> = "notify.slack.url_file", Kind::Path, Value::Unset, else "there is none";
    /// For `discord`: the variable that holds the address of a webhook.
    notify_discord_url_env: Option<String> = "notify.discord.url_env", Kind::Text, Value::Unset, else "there is none";
    /// For `discord`: the file that holds the address of a webhook.
    notify_discord_url_file: Option<PathBuf> = "notify.discord.url_file", Kind::Path, Value::Unset, else "there is none";
    /// For `telegram`: the number or name of the chat.
    notify_telegram_chat: Option<String> = "notify.telegram.chat", Kind::Text, Value::Unset, else "there is none";
    /// For `telegram`: the variable that holds the bot's token.
    notify_telegram_token_env: Option<String> = "notify.telegram.token_env", Kind::Text, Value::Unset, else "there is none";
    /// For `telegram`: the file that holds the bot's token.
    notify_telegram_token_file: Option<PathBuf> = "notify.telegram.token_file", Kind::Path, Value::Unset, else "there is none";
    /// For `telegram`: the server.
    notify_telegram_url: String = "notify.telegram.url", Kind::Text, Value::Text("https://api.telegram.org".to_owned());
    /// For `pushover`: the key of the user or group.
    notify_pushover_user: Option<String> = "notify.pushover.user", Kind::Text, Value::Unset, else "there is none";
    /// For `pushover`: the variable that holds the application's token.
    notify_pushover_token_env: Option<String> = "notify.pushover.token_env", Kind::Text, Value::Unset, else "there is none";
    /// For `pushover`: the file that holds the application's token.
    notify_pushover_token_file: Option<PathBuf> = "notify.pushover.token_file", Kind::Path, Value::Unset, else "there is none";
    /// For `pushover`: the address that takes messages.
    notify_pushover_url: String = "notify.pushover.url", Kind::Text,
        Value::Text("https://api.pushover.net/1/messages.json".to_owned());
    /// For `apprise`: its configuration, a file.
    notify_apprise_config: Option<PathBuf> = "notify.apprise.config", Kind::Path, Value::Unset, else "there is none";
}

impl Settings {
    /// All settings as `autodo config` lists them, in the order of the table.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |(row, (value, origin)): (&Definition, (Value, &Origin))| Entry {
            name: row.name,
            value: (value != Value::Unset).then(|| value.to_string()),
            origin: origin.clone(),
            doc: row.meaning(),
            otherwise: row.otherwise,
        };
        TABLE.iter().zip(self.shown()).map(entry).collect()
    }

    /// What is frozen with a ticket when it is accepted: the profile's limits, over them what these settings say, over
    /// that what the ticket says. A profile whose `feedback_rounds` is 0 cannot take feedback, and keeps 0.
    #[must_use]
    pub fn to_frozen(&self, ticket: &Ticket, profile_limits: &Limits) -> Frozen {
        let seconds = |set: &Sourced<Option<Seconds>>, profile: u64| set.value.map_or(profile, |s| s.0);
        let takes_feedback = profile_limits.feedback_rounds > 0;
        let rounds = self.limits_feedback_rounds.value.filter(|_| takes_feedback);
        let limits = Limits {
            run_s: ticket.limit_s.unwrap_or_else(|| seconds(&self.limits_run, profile_limits.run_s)),
            start_s: seconds(&self.limits_start, profile_limits.start_s),
            delivery_s: seconds(&self.limits_delivery, profile_limits.delivery_s),
            stall_s: seconds(&self.limits_stall, profile_limits.stall_s),
            check_s: seconds(&self.limits_check, profile_limits.check_s),
            budget: ticket.budget.or(self.limits_budget.value),
            feedback_rounds: rounds.unwrap_or(profile_limits.feedback_rounds),
            crashes: self.limits_crashes.value.unwrap_or(profile_limits.crashes),
            backoff_s: seconds(&self.limits_backoff, profile_limits.backoff_s),
            after_reset_s: seconds(&self.limits_after_reset, profile_limits.after_reset_s),
            resumable: profile_limits.resumable,
            feedback: profile_limits.feedback,
            nudge: profile_limits.nudge,
            argument: profile_limits.argument,
        };
        Frozen {
            checks: self.checks.value.clone(),
            accept: ticket.accept.clone(),
            permissions: self.permissions.value.clone(),
            worktree: WorktreeSetup {
                copy: self.worktree_copy.value.clone(),
                symlink: self.worktree_symlink.value.clone(),
                setup: self.worktree_setup.value.clone(),
                setup_limit_s: Some(self.worktree_setup_limit.value.0),
                submodules: (!self.worktree_submodules.value).then_some(false),
                pool: self.worktree_pool.value,
                root: self.worktree_root.value.clone(),
            },
            limits,
        }
    }

    /// Reads layers, weakest first; the built-in values lie below them all.
    ///
    /// # Errors
    /// Everything that is wrong in any layer, in order: never empty.
    pub fn load(layers: &[Layer]) -> Result<Self, Vec<ConfigProblem>> {
        let mut values: Values = TABLE.iter().map(|d| (d.name, ((d.built_in)(), Origin::BuiltIn))).collect();
        let mut problems = Vec::new();
        for layer in layers {
            layer.read(&mut values, &mut problems);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Self::of(&mut values).ok_or_else(|| {
            let message = "the table of settings contradicts itself; this is a fault of autodo".to_owned();
            vec![ConfigProblem { place: "built-in".to_owned(), message, spot: None }]
        })
    }
}

#[cfg(test)]
mod tests;
