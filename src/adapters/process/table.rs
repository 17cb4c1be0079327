//! The process table: what is alive, and which processes belong to a run.
//!
//! A process belongs to a run if its environment holds `AUTODO_RUN=<run>` and a launch folder of this home; if it is a
//! launch wrapper of the run; if one of its ancestors belongs; or if it sits in the session of a wrapper of the run. The
//! last two find programs that dropped or overwrote their environment. Another home may have a ticket of the same id.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

pub use super::procfs::Proc;
use super::{environment, files, procfs};
use crate::{
    domain::{id::RunId, observed::Observed},
    ports::launches::{LaunchSpec, Started},
};

/// The start time of a process, in clock ticks since boot; `Absent`: it is gone, or a zombie.
#[must_use]
pub fn start_time(pid: i32) -> Observed<u64> {
    match procfs::stat(pid) {
        Observed::Present(found) if found.lives() => Observed::Present(found.start_time),
        Observed::Present(_) | Observed::Absent => Observed::Absent,
        Observed::Unknown(why) => Observed::Unknown(why),
    }
}

/// True if the process is stopped, as by Ctrl-Z. What cannot be seen is not.
#[must_use]
pub fn is_stopped(pid: i32) -> bool {
    procfs::stat(pid).present().is_some_and(|found| matches!(found.state, 'T' | 't'))
}

/// The arguments of a process as one line; `None`: it is gone, or cannot be seen.
#[must_use]
pub fn command_line(pid: i32) -> Option<String> {
    let words: Vec<String> = procfs::arguments(pid)?.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Some(words.join(" ")).filter(|line| !line.trim().is_empty())
}

/// What tells this boot of the machine from every other.
///
/// # Errors
/// Why the system does not say.
pub fn boot_id() -> Result<String, String> {
    procfs::boot_id()
}

/// True if the process lives that had this pid and start time in that boot. Never `Absent`.
#[must_use]
pub fn alive(pid: i32, started: u64, boot: &str) -> Observed<bool> {
    match boot_id() {
        Ok(now) if now != boot => return Observed::Present(false),
        Ok(_) => {}
        Err(why) => return Observed::Unknown(why),
    }
    match start_time(pid) {
        Observed::Present(time) => Observed::Present(time == started),
        Observed::Absent => Observed::Present(false),
        Observed::Unknown(why) => Observed::Unknown(why),
    }
}

/// The living processes of a run whose launches lie below the folder `within`, wrappers included; `Absent`: there is
/// none.
#[must_use]
pub fn processes_of(run: &RunId, within: &Path) -> Observed<Vec<Proc>> {
    let run = run.to_string();
    let entry = format!("{}={run}", environment::RUN);
    let carries = |variables: &[u8]| {
        holds(variables, entry.as_bytes()) && launch_of(variables).is_some_and(|folder| folder.starts_with(within))
    };
    collect(carries, |pid| wrapped(pid).is_some_and(|(folder, spec)| spec.run == run && folder.starts_with(within)))
}

/// The living processes of one launch, its wrapper included; `Absent`: there is none.
#[must_use]
pub fn processes_of_launch(folder: &Path) -> Observed<Vec<Proc>> {
    let mut entry = format!("{}=", environment::LAUNCH).into_bytes();
    entry.extend_from_slice(folder.as_os_str().as_bytes());
    collect(|variables| holds(variables, &entry), |pid| wrapped(pid).is_some_and(|(of, _)| of == folder))
}

/// The living processes of all launches whose folders lie below `within`, by folder: those that carry it in their
/// environment, and wrappers. What hangs on them is left out: see [`processes_of_launch`].
///
/// # Errors
/// The process table could not be read.
pub(super) fn by_launch(within: &Path) -> Result<BTreeMap<PathBuf, Vec<Proc>>, String> {
    let mut all: BTreeMap<PathBuf, Vec<Proc>> = BTreeMap::new();
    for process in procfs::list()?.into_iter().filter(Proc::lives) {
        let variables = procfs::environment(process.pid).unwrap_or_default();
        let named = launch_of(&variables).map(Path::to_owned);
        let folder = named.or_else(|| wrapped(process.pid).map(|(folder, _)| folder));
        if let Some(folder) = folder.filter(|folder| folder.starts_with(within)) {
            all.entry(folder).or_default().push(process);
        }
    }
    Ok(all)
}

/// The living descendants of process `root`, and the other living members of process group `group`; `root` itself is
/// not among them. `Absent`: there is none.
#[must_use]
pub fn descendants_of(root: i32, group: Option<i32>) -> Observed<Vec<Proc>> {
    match procfs::list() {
        Ok(all) => {
            let mut seeds: HashSet<i32> = all.iter().filter(|p| Some(p.group) == group).map(|p| p.pid).collect();
            seeds.insert(root);
            found(belonging(&all, &seeds, &HashSet::new()).into_iter().filter(|p| p.pid != root).collect())
        }
        Err(why) => Observed::Unknown(why),
    }
}

/// The living members of a process group; `Absent`: there is none.
pub(super) fn group(group: i32) -> Observed<Vec<Proc>> {
    match procfs::list() {
        Ok(all) => found(all.into_iter().filter(|p| p.lives() && p.group == group).collect()),
        Err(why) => Observed::Unknown(why),
    }
}

/// True if this process is part of a run: itself or one of its ancestors carries `AUTODO_RUN`, or is a launch wrapper.
/// A process that dropped its environment, forked twice and outlived its wrapper is not known as one.
#[must_use]
pub fn descends_from_wrapper() -> bool {
    std::env::var_os(environment::RUN).is_some() || own_line().iter().any(|pid| is_of_any_run(*pid) || is_wrapper(*pid))
}

/// The number of this process.
#[must_use]
pub fn own_pid() -> i32 {
    nix::unistd::getpid().as_raw()
}

/// This process and its ancestors, nearest first, as far as they can be seen.
#[must_use]
pub fn own_line() -> Vec<i32> {
    let mut line = Vec::new();
    let mut pid = nix::unistd::getpid().as_raw();
    while pid > 0 && !line.contains(&pid) {
        line.push(pid);
        pid = procfs::stat(pid).present().map_or(0, |p| p.parent);
    }
    line
}

/// True if `pid` is a launch wrapper.
#[must_use]
pub fn is_wrapper(pid: i32) -> bool {
    wrapped(pid).is_some()
}

/// True if the program under the wrapper `pid` is the foreground of the wrapper's terminal; `Absent`: the wrapper is
/// gone. Without a terminal, or before the program starts and after it ends, it is not.
#[must_use]
pub fn is_foreground(pid: i32) -> Observed<bool> {
    let wrapper = match procfs::stat(pid) {
        Observed::Present(wrapper) if wrapper.lives() => wrapper,
        Observed::Present(_) | Observed::Absent => return Observed::Absent,
        Observed::Unknown(why) => return Observed::Unknown(why),
    };
    match procfs::list() {
        Ok(all) => Observed::Present(program_under(&all, &wrapper).is_some_and(|p| p.group == wrapper.foreground)),
        Err(why) => Observed::Unknown(why),
    }
}

/// The wrapper's own child leads its group; groups adopted later (orphans) are younger.
fn program_under<'a>(all: &'a [Proc], wrapper: &Proc) -> Option<&'a Proc> {
    all.iter()
        .filter(|p| p.parent == wrapper.pid && p.group == p.pid && p.session == wrapper.session)
        .min_by_key(|p| (p.start_time, p.pid))
        .filter(|p| p.lives())
}

/// True if an environment, as the system shows it, holds `entry`: name, `=` and value.
fn holds(variables: &[u8], entry: &[u8]) -> bool {
    variables.split(|byte| *byte == 0).any(|variable| variable == entry)
}

/// The launch folder that an environment names.
fn launch_of(variables: &[u8]) -> Option<&Path> {
    let prefix = format!("{}=", environment::LAUNCH);
    let folder = variables.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(prefix.as_bytes()))?;
    Some(Path::new(OsStr::from_bytes(folder)))
}

/// All processes whose environment is ours by `carries`, that are wrappers by `is_ours`, or hang on one of these.
fn collect(carries: impl Fn(&[u8]) -> bool, is_ours: impl Fn(i32) -> bool) -> Observed<Vec<Proc>> {
    let all = match procfs::list() {
        Ok(all) => all,
        Err(why) => return Observed::Unknown(why),
    };
    let mut seeds = HashSet::new();
    let mut sessions = HashSet::new();
    for process in all.iter().filter(|p| p.lives()) {
        let variables = procfs::environment(process.pid).unwrap_or_default();
        if carries(&variables) {
            seeds.insert(process.pid);
            sessions.extend(wrapper_session(process, &variables));
        } else if is_ours(process.pid) {
            seeds.insert(process.pid);
            sessions.extend((process.session == process.pid).then_some(process.pid));
        }
    }
    found(belonging(&all, &seeds, &sessions))
}

/// The session of a process of a launch, if the launch's wrapper leads or led it: a session of a person's shell, in
/// which somebody typed the wrapper by hand, is not the run's.
fn wrapper_session(process: &Proc, variables: &[u8]) -> Option<i32> {
    let started: Started = files::read(&launch_of(variables)?.join(files::STARTED)).present()?;
    (started.pid == process.session && boot_id().is_ok_and(|boot| boot == started.boot_id)).then_some(started.pid)
}

/// The folder and order of the launch wrapper `pid`; `None`: it is not one.
fn wrapped(pid: i32) -> Option<(PathBuf, LaunchSpec)> {
    let arguments = procfs::arguments(pid)?;
    let [program, verb, folder] = arguments.as_slice() else { return None };
    if Path::new(program).file_name() != Some(OsStr::new("autodo")) || verb != super::wrapper::VERB {
        return None;
    }
    let folder = PathBuf::from(folder);
    let spec = files::read(&folder.join(files::LAUNCH)).present()?;
    Some((folder, spec))
}

fn is_of_any_run(pid: i32) -> bool {
    let prefix = format!("{}=", environment::RUN);
    procfs::environment(pid).is_some_and(|all| all.split(|byte| *byte == 0).any(|v| v.starts_with(prefix.as_bytes())))
}

/// The living among `all` that are seeds, sit in one of `sessions`, or have an ancestor that does.
fn belonging(all: &[Proc], seeds: &HashSet<i32>, sessions: &HashSet<i32>) -> Vec<Proc> {
    let by_pid: HashMap<i32, &Proc> = all.iter().map(|p| (p.pid, p)).collect();
    let belongs = |process: &Proc| {
        let mut seen = HashSet::new();
        let mut at = Some(process);
        while let Some(p) = at {
            if seeds.contains(&p.pid) || sessions.contains(&p.session) {
                return true;
            }
            at = by_pid.get(&p.parent).copied().filter(|p| seen.insert(p.pid));
        }
        false
    };
    all.iter().filter(|p| p.lives() && belongs(p)).cloned().collect()
}

fn found(processes: Vec<Proc>) -> Observed<Vec<Proc>> {
    if processes.is_empty() { Observed::Absent } else { Observed::Present(processes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32, state: char) -> Proc {
        Proc {
            pid,
            start_time: 1,
            parent,
            group: pid,
            session,
            foreground: -1,
            state,
            name: "x".into(),
            pages: 1,
            ticks: 2,
        }
    }

    fn pids(all: &[Proc], seeds: &[i32], sessions: &[i32]) -> Vec<i32> {
        let set = |numbers: &[i32]| numbers.iter().copied().collect();
        belonging(all, &set(seeds), &set(sessions)).iter().map(|p| p.pid).collect()
    }

    #[test]
    fn what_hangs_on_a_process_of_the_run_belongs_and_nothing_else() {
        let all = [
            process(1, 0, 1, 'S'),
            process(10, 1, 10, 'S'),
            process(11, 10, 10, 'S'),
            process(12, 11, 12, 'S'),
            process(13, 12, 12, 'Z'),
            process(20, 1, 10, 'S'),
            process(30, 1, 30, 'S'),
        ];
        assert_eq!(pids(&all, &[11], &[]), [11, 12]);
        assert_eq!(pids(&all, &[11], &[10]), [10, 11, 12, 20]);
        assert_eq!(pids(&all, &[], &[]), [0; 0]);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        assert_eq!(pids(&[process(2, 3, 2, 'S'), process(3, 2, 3, 'S')], &[9], &[]), [0; 0]);
    }

    #[test]
    fn alive_means_the_same_pid_start_time_and_boot() {
        let own = nix::unistd::getpid().as_raw();
        let (Observed::Present(started), Ok(boot)) = (start_time(own), boot_id()) else { panic!("cannot look") };
        assert_eq!(alive(own, started, &boot), Observed::Present(true));
        assert_eq!(alive(own, started + 1, &boot), Observed::Present(false));
        assert_eq!(alive(own, started, "another boot"), Observed::Present(false));
        assert_eq!(alive(i32::MAX, started, &boot), Observed::Present(false));
    }
}
