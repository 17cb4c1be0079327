//! Starting many tickets at once in a large repository, beside the bare loop that a person would write; and starting one
//! from the warm pool.

use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::{
    Trouble,
    books::now,
    cost::median,
    latency::quantile,
    options::Options,
    room::{Room, run, wait},
};

/// What dispatch may take, of the bare loop's time.
const RATIO: f64 = 1.10;
/// Seconds until the first prompt is in its pane, from the warm pool.
const WARM_S: f64 = 1.0;
/// Warm checkouts that are kept.
const POOL: usize = 3;
/// Starts from the pool that are measured: at the same commit, and after it moved.
const WARM_STARTS: usize = 5;
/// Checkouts at a time, in both.
const AT_ONCE: usize = 2;
/// Longest time for anything.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What was measured, in seconds.
#[derive(Default)]
pub struct Starts {
    /// Until the last prompt was in its pane, by autodo.
    pub autodo: Vec<f64>,
    /// The same by the bare loop, pair by pair.
    pub bare: Vec<f64>,
    /// CPU seconds of the supervisor and its children, as long as that took.
    pub cpu: Vec<f64>,
    /// From the start of `autodo dispatch` to the first prompt, from the pool.
    pub warm: Vec<f64>,
    /// The same after the base moved.
    pub moved: Vec<f64>,
}

const SCENARIO: &str = "ready\nexpect-prompt\nstamp got\nhang\n";

/// Measures all rows.
///
/// # Errors
/// Something did not start.
pub fn measure(options: &Options) -> Result<Starts, Trouble> {
    let mut starts = Starts::default();
    // Left to whoever made the folder: for minutes after a million files are removed, ext4 passes over their inodes one
    // by one for each new file, and a checkout takes seven times as long.
    for round in 0..options.rounds {
        let is_autodo_first = round % 2 == 0;
        for is_autodo in [is_autodo_first, !is_autodo_first] {
            let mut room = room(options, "")?;
            room.leave();
            if is_autodo {
                let (took, cpu) = by_autodo(options, &room)?;
                starts.autodo.push(took);
                starts.cpu.push(cpu);
                eprintln!("dispatch: pair {round}: autodo {took:.1} s ({cpu:.1} s of CPU)");
            } else {
                let took = by_hand(options, &room)?;
                starts.bare.push(took);
                eprintln!("dispatch: pair {round}: by hand {took:.1} s");
            }
        }
    }
    warm(options, &mut starts)?;
    Ok(starts)
}

fn ids(options: &Options) -> Vec<String> {
    (0..options.starts).map(|n| format!("T-{n:03}")).collect()
}

fn room<'a>(options: &'a Options, settings: &str) -> Result<Room<'a>, Trouble> {
    let room = Room::new(options, &options.folder)?;
    room.make_profile()?;
    room.make_repo(options.files, &format!("version = 1\nprofile = \"bench\"\nchecks = []\n{settings}"))?;
    Ok(room)
}

fn by_autodo(options: &Options, room: &Room) -> Result<(f64, f64), Trouble> {
    let ids = ids(options);
    for id in &ids {
        room.make_ticket(id, SCENARIO)?;
    }
    run(&mut room.command("sync", &room.repo()))?;
    let began = now();
    let mut supervisor = room.start(&["dispatch", "--parallel", &options.starts.to_string(), "--stagger", "0"])?;
    wait("all prompts", PATIENCE, || !supervisor.runs() || ids.iter().all(|id| room.stamp(id).is_some()))?;
    let cpu = crate::usage::cpu(supervisor.pid()).map(|cpu| cpu.own + cpu.children)?;
    supervisor.interrupt()?;
    let last = ids.iter().filter_map(|id| room.stamp(id)).fold(0.0, f64::max);
    Ok((last - began, cpu))
}

/// `git worktree add; tmux new-session; send-keys` for each ticket, two at a time, until the last keys are sent.
fn by_hand(options: &Options, room: &Room) -> Result<f64, Trouble> {
    let ids = ids(options);
    for id in &ids {
        room.make_ticket(id, SCENARIO)?;
    }
    let socket = room.path("bare.sock").to_string_lossy().into_owned();
    run(&mut room.command("sync", &room.repo()))?;
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let one = |id: &str| -> Result<(), Trouble> {
        let tree = room.path(&format!("p.worktrees/{id}")).to_string_lossy().into_owned();
        room.git(&format!("worktree add -q -b t/{id} {tree}"))?;
        let tmux = |words: &[&str]| -> Result<String, Trouble> {
            let mut command: Command = room.command("tmux", &room.repo());
            run(command.args(["-f", "/dev/null", "-S", &socket]).args(words))
        };
        let (agent, play) = (options.agent.to_string_lossy(), room.path(&format!("scenarios/{id}")));
        tmux(&["new-session", "-d", "-s", id, "-x", "120", "-y", "40", "-c", &tree, &agent, &play.to_string_lossy()])?;
        tmux(&["send-keys", "-t", id, "Read .autodo/run/prompt.md and do what it says.", "Enter"]).map(drop)
    };
    let worker = || -> Result<(), Trouble> {
        while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(id)?;
        }
        Ok(())
    };
    let done: Result<(), Trouble> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker failed".to_owned())?)
    });
    let took = began.elapsed().as_secs_f64();
    // Ignored: there is none.
    run(room.command("tmux", &room.repo()).args(["-S", &socket, "kill-server"])).ok();
    done.map(|()| took)
}

/// One ticket at a time, each by a supervisor of its own, from the pool that the one before left.
fn warm(options: &Options, starts: &mut Starts) -> Result<(), Trouble> {
    let mut room = room(options, &format!("[worktree]\npool = {POOL}\n"))?;
    room.leave();
    let ready = || {
        let list = room.git("worktree list --porcelain").unwrap_or_default();
        list.lines().filter(|line| *line == "locked autodo-pool").count() == POOL
    };
    for n in 0..=2 * WARM_STARTS {
        let id = format!("W-{n:02}");
        room.make_ticket(&id, SCENARIO)?;
        let is_moved = n > WARM_STARTS;
        if is_moved {
            room.write(&format!("p/src/000/{n}.txt"), "moved\n")?;
            room.git("add -A")?;
            room.git("commit -q -m moved")?;
        }
        let began = now();
        let mut supervisor = room.start(&["dispatch", "--parallel", "100", "--stagger", "0"])?;
        wait("the prompt", PATIENCE, || !supervisor.runs() || room.stamp(&id).is_some())?;
        let took = room.stamp(&id).ok_or("dispatch ended before the prompt was in its pane")? - began;
        wait("the pool", PATIENCE, || !supervisor.runs() || ready())?;
        supervisor.interrupt()?;
        eprintln!("dispatch: {} {took:.2} s", if n == 0 { "cold" } else { "warm" });
        match (n, is_moved) {
            // The first one finds no pool.
            (0, _) => {}
            (_, false) => starts.warm.push(took),
            (_, true) => starts.moved.push(took),
        }
    }
    Ok(())
}

/// The table, and whether all targets are met.
pub fn table(starts: &Starts, options: &Options) -> (String, bool) {
    let ratios = starts.autodo.iter().zip(&starts.bare).map(|(autodo, bare)| autodo / bare).collect();
    let (autodo, bare, ratio) = (median(starts.autodo.clone()), median(starts.bare.clone()), median(ratios));
    let (warm, moved) = (median(starts.warm.clone()), median(starts.moved.clone()));
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let most = |values: &[f64]| quantile(&sorted(values), 1.0);
    let mut text = format!(
        "Seconds until the last of {} prompts is in its pane, in a repository of {} files; medians of {} pairs.\n\n\
         autodo dispatch | worktree add; new-session; send-keys | ratio | CPU of autodo\n\
         {autodo:>15.1} | {bare:>36.1} | {ratio:>5.2} | {:>13.1}\n\n\
         Seconds from the start of `autodo dispatch` to the first prompt, from the warm pool: median {warm:.2}, at most \
         {:.2}; after the base moved: median {moved:.2}, at most {:.2}.\n\n",
        options.starts,
        options.files,
        starts.autodo.len(),
        median(starts.cpu.clone()),
        most(&starts.warm),
        most(&starts.moved),
    );
    let what = format!("{} starts: at most {RATIO:.2} of the bare loop", options.starts);
    text.push_str(&crate::table::verdict(&what, ratio <= RATIO));
    let what = format!("a start from the warm pool: median under {WARM_S} s, also after the base moved");
    text.push_str(&crate::table::verdict(&what, warm < WARM_S && moved < WARM_S));
    (text, ratio <= RATIO && warm < WARM_S && moved < WARM_S)
}
