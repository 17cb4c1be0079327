//! What the process trees of launches take of the machine: memory and processor time, in one look at the process table
//! for all of them.
//!
//! The cost is that of the look: a read of `/proc/<pid>/stat` for each process of the machine. A debug build takes 26 µs
//! for each on a virtual machine with two busy cores, 9 ms for 336 of them; the number of trees makes no difference.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use nix::{
    time::{ClockId, clock_gettime},
    unistd::{SysconfVar, sysconf},
};

use super::procfs::{self, Proc};
use crate::{
    domain::observed::Observed,
    ports::launches::{Tree, Trees},
};

/// The trees below the wrappers `roots`, in their order; `None`: no such wrapper.
pub(super) fn trees(roots: &[Option<i32>]) -> Observed<Trees> {
    let began = spent();
    match procfs::list() {
        Ok(all) => {
            let unit = |variable, usual: u64| {
                // Ignored: every Linux has said these for twenty years.
                sysconf(variable).ok().flatten().and_then(|value| u64::try_from(value).ok()).unwrap_or(usual)
            };
            let units = Units { page: unit(SysconfVar::PAGE_SIZE, 4096), ticks: unit(SysconfVar::CLK_TCK, 100).max(1) };
            let trees = add_up(&all, roots, &units);
            Observed::Present(Trees { trees, cost: spent().saturating_sub(began) })
        }
        Err(why) => Observed::Unknown(why),
    }
}

/// The processor time that this thread has taken: however busy the machine is, a look costs the same.
fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// The units of the process table.
struct Units {
    /// Bytes of a page.
    page: u64,
    /// Clock ticks in a second.
    ticks: u64,
}

fn add_up(all: &[Proc], roots: &[Option<i32>], units: &Units) -> Vec<Option<Tree>> {
    let by_pid: HashMap<i32, &Proc> = all.iter().map(|p| (p.pid, p)).collect();
    let of_root: HashMap<i32, usize> =
        roots.iter().enumerate().filter_map(|(index, pid)| Some(((*pid)?, index))).collect();
    let mut trees: Vec<Option<Tree>> = vec![None; roots.len()];
    let mut known: HashMap<i32, Option<usize>> = HashMap::new();
    for process in all {
        let Some(tree) = owner(process, &by_pid, &of_root, &mut known).and_then(|index| trees.get_mut(index)) else {
            continue;
        };
        let tree = tree.get_or_insert_default();
        tree.processes += u32::from(process.lives());
        tree.memory_kb += process.pages.saturating_mul(units.page) / 1024;
        tree.cpu_ms += process.ticks.saturating_mul(1000) / units.ticks;
    }
    trees
}

/// Whose tree a process is in: that of the wrapper which is an ancestor of it, or leads its session.
fn owner(
    process: &Proc,
    by_pid: &HashMap<i32, &Proc>,
    of_root: &HashMap<i32, usize>,
    known: &mut HashMap<i32, Option<usize>>,
) -> Option<usize> {
    let (mut line, mut seen) = (Vec::new(), HashSet::new());
    let mut at = Some(process);
    let found = loop {
        let Some(p) = at else { break None };
        if let Some(index) = known.get(&p.pid) {
            break *index;
        }
        if let Some(index) = of_root.get(&p.pid).or_else(|| of_root.get(&p.session)) {
            break Some(*index);
        }
        line.push(p.pid);
        at = by_pid.get(&p.parent).copied().filter(|p| seen.insert(p.pid));
    };
    known.extend(line.into_iter().map(|pid| (pid, found)));
    found
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
            pages: 256,
            ticks: 50,
        }
    }

    #[test]
    fn each_process_counts_once_in_the_tree_it_hangs_on() {
        let all = [
            process(1, 0, 1, 'S'),
            process(10, 1, 10, 'S'),
            process(11, 10, 10, 'S'),
            process(12, 11, 12, 'S'),
            process(13, 12, 12, 'Z'),
            // Its parent has ended, but the session is the wrapper's.
            process(14, 1, 10, 'S'),
            process(20, 1, 20, 'S'),
            process(30, 1, 30, 'S'),
            // A circle, as a process table that changed meanwhile may show one.
            process(40, 41, 40, 'S'),
            process(41, 40, 40, 'S'),
        ];
        let units = Units { page: 4096, ticks: 100 };
        let tree = |processes, all: u64| Some(Tree { processes, memory_kb: all * 1024, cpu_ms: all * 500 });
        assert_eq!(add_up(&all, &[Some(10), None, Some(20), Some(99)], &units), [tree(4, 5), None, tree(1, 1), None]);
    }

    #[test]
    fn this_process_takes_memory_and_time_and_a_look_is_cheap() {
        let Observed::Present(seen) = trees(&[Some(nix::unistd::getpid().as_raw())]) else { panic!("cannot look") };
        let (cost, tree) = (seen.cost, seen.trees[0].unwrap());
        eprintln!("a look at {} processes took {} µs", procfs::list().unwrap().len(), cost.as_micros());
        assert!(tree.processes >= 1 && tree.memory_kb > 500, "{tree:?}");
        assert!(!cost.is_zero() && cost < Duration::from_secs(2), "{cost:?}");
    }
}
