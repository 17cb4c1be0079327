//! `autodo heavy`: a command that takes much of the machine waits for its slot, and is then run in place of this program,
//! with the same process id, streams and signals.

use std::{ffi::OsString, io::ErrorKind, path::PathBuf, time::Duration};

use clap::Args;

use super::{context::Context, ui};
use crate::{
    adapters::{
        env, machine,
        process::{self, Waiting, table},
        slots::{self, InTheWay, Slots, Waited},
    },
    app::{AppError, Exit, intake, open::home_folder},
    config::{Flag, Settings},
    format::time::parse_duration,
};

/// The variable that names, in a heavy command, the process that holds its slot.
const HOLDER: &str = process::HEAVY;

/// Nothing is said of a wait that is shorter.
const SILENT: Duration = Duration::from_secs(1);

/// Cores for each slot, where their number is not set: builds use several, and what they need most is memory.
const CORES_A_SLOT: u32 = 8;

/// `heavy`.
#[derive(Args)]
pub struct HeavyArgs {
    /// How many may run at once; the setting heavy.slots.
    #[arg(long, value_name = "N")]
    slots: Option<u32>,
    /// Give up after this time, with exit code 75.
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
    /// The command and its arguments.
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// `heavy`. Returns only where the command is not run.
///
/// # Errors
/// No slot was free in time, the slots cannot be used, or the command cannot be run.
pub fn run(context: &Context, args: &HeavyArgs) -> Result<Exit, AppError> {
    let limit = args.wait.as_deref().map(|text| {
        parse_duration(text)
            .map_err(|e| AppError::usage(format!("--wait {text:?}: {e}")).hint("for example --wait 30m"))
    });
    let limit = limit.transpose()?.map(Duration::from_secs);
    let settings = settings(context, args)?;
    let folder = settings.heavy_folder.value.clone().unwrap_or_else(slots::usual_folder);
    let folder = context.folder()?.join(folder);
    let failed = |why: &dyn std::fmt::Display| {
        AppError::new(format!("cannot wait for a slot: {why}"))
            .hint("mend that folder, or set heavy.folder to one of yours; without a slot: run the command alone")
    };
    let slots = Slots::open(&folder).map_err(|e| failed(&e))?;
    let holder = env::var(HOLDER).and_then(|pid| pid.to_str()?.parse::<i32>().ok()).filter(|pid| *pid > 0);
    // A command inside a heavy one: waiting for another slot could be waiting for itself.
    if let Some(holder) = holder
        && slots.is_held_by(holder).map_err(|e| failed(&e))?
    {
        return Err(becomes(context, args, holder));
    }
    let number = settings.heavy_slots.value.unwrap_or_else(|| (machine::cores() / CORES_A_SLOT).max(1));
    let mut telling = Telling { command: args.line(), number, said: false, tried: false, waiting: None };
    let least = u64::from(settings.heavy_memory_mb.value);
    let waited = slots.wait(number, limit, || no_memory(least), |way, since| telling.waits(way, since));
    if let Some(waiting) = telling.waiting.take() {
        waiting.ends();
    }
    match waited.map_err(|e| failed(&e))? {
        Waited::Held(held) => {
            held.hand_on().map_err(|e| failed(&e))?;
            Err(becomes(context, args, table::own_pid()))
        }
        Waited::Over(way) => Err(AppError::new(format!(
            "{} was not run: {} for {}",
            telling.command,
            words(&way, number),
            args.wait.as_deref().unwrap_or_default()
        ))
        .exit(Exit::Locked)
        .hint("a longer --wait, or none; more of them: autodo config shows heavy.slots")),
    }
}

/// The user's settings: slots are of the machine, so that no project has a say.
fn settings(context: &Context, args: &HeavyArgs) -> Result<Settings, AppError> {
    let flag = args.slots.map(|n| Flag { flag: "--slots".into(), name: "heavy.slots".into(), text: n.to_string() });
    let home: PathBuf = home_folder(context.home.clone())?;
    intake::settings_at(&home, None, flag.into_iter().collect())
}

/// Becomes the command; what is returned is why not.
fn becomes(context: &Context, args: &HeavyArgs, holder: i32) -> AppError {
    let error = process::become_program(&args.command, context.folder.as_deref(), &[(HOLDER, holder.to_string())]);
    let exit = if error.kind() == ErrorKind::NotFound { Exit::NotFound } else { Exit::NotRun };
    AppError::new(format!("cannot run {}: {error}", args.line())).exit(exit).hint("is it installed, and on the PATH?")
}

fn no_memory(least: u64) -> Option<String> {
    let free = machine::free_memory_mb().filter(|free| *free < least)?;
    Some(format!("{free} MiB of memory are free, and heavy.memory_mb wants {least}"))
}

fn words(way: &InTheWay, number: u32) -> String {
    let slots = if number == 1 {
        "the slot for heavy commands was".to_owned()
    } else {
        format!("all {number} slots for heavy commands were")
    };
    match way {
        InTheWay::Line => "others wait before it for a slot".to_owned(),
        InTheWay::Else(why) => why.clone(),
        InTheWay::Taken { by } => match table::command_line(*by) {
            Some(line) => format!("{slots} taken, by process {by} ({})", ui::plain(&short(&line))),
            None => format!("{slots} taken"),
        },
    }
}

/// At most so much of a command line that it fits in a line.
fn short(line: &str) -> String {
    const MOST: usize = 60;
    let cut: String = line.chars().take(MOST).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

impl HeavyArgs {
    fn line(&self) -> String {
        let words: Vec<String> = self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        ui::plain(&short(&words.join(" ")))
    }
}

/// Tells of a wait: the launch around it at once, a person once it is worth it.
struct Telling {
    command: String,
    number: u32,
    said: bool,
    tried: bool,
    waiting: Option<Waiting>,
}

impl Telling {
    fn waits(&mut self, way: &InTheWay, since: Duration) {
        match &mut self.waiting {
            Some(waiting) => waiting.goes_on(),
            // Where it cannot be told once, it cannot be told again.
            None if !self.tried => self.waiting = Waiting::begin(),
            None => {}
        }
        self.tried = true;
        if !self.said && since >= SILENT {
            self.said = true;
            ui::notice(&format!("{} waits: {}", self.command, words(way, self.number)));
        }
    }
}
