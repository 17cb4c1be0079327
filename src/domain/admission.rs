//! Admission: how many tickets the machine has room for now. Agents take their memory some time after their start, so for
//! those that have just started what they have not yet taken is kept free.

/// Seconds in which an agent has taken the memory that it works with.
pub const YOUNG_S: i64 = 60;

/// What must be free for each start, in MiB; 0: that is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Least {
    /// Memory.
    pub memory_mb: u64,
    /// Disk space, where the home and the worktrees lie.
    pub disk_mb: u64,
}

/// What is free, in MiB; `None`: the machine does not say, and nothing is held back for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Free {
    /// Memory.
    pub memory_mb: Option<u64>,
    /// Disk space, of whichever disk has the least.
    pub disk_mb: Option<u64>,
}

/// The memory that a new agent needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// In MiB; 0: that is not looked at.
    pub memory_mb: u64,
    /// So much did earlier runs take; else it is the setting.
    pub is_measured: bool,
}

impl Need {
    /// What is needed by the setting and by what was measured of earlier runs: whichever is more. `alone`: no agent is at
    /// work, and the setting alone counts; else an agent that once took more than there is would never start again.
    #[must_use]
    pub fn of(least: Least, measured: Option<u64>, alone: bool) -> Self {
        let measured = measured.filter(|measured| !alone && least.memory_mb > 0 && *measured > least.memory_mb);
        Self { memory_mb: measured.unwrap_or(least.memory_mb), is_measured: measured.is_some() }
    }
}

/// What agents that have just started are expected to take yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Young {
    /// How many there are.
    pub agents: usize,
    /// Memory, in MiB.
    pub memory_mb: u64,
}

/// How many of the tickets with these needs may start now, in their order; and why not all, in words.
#[must_use]
pub fn admitted(needs: &[Need], young: Young, free: Free, least: Least) -> (usize, Option<String>) {
    if let Some(disk) = free.disk_mb.filter(|disk| *disk < least.disk_mb && !needs.is_empty()) {
        let why = format!("{disk} MiB of disk space are free, and a start wants {} (admission.disk_mb)", least.disk_mb);
        return (0, Some(why));
    }
    let Some(memory) = free.memory_mb else { return (needs.len(), None) };
    let mut room = memory.saturating_sub(young.memory_mb);
    for (count, need) in needs.iter().enumerate() {
        if need.memory_mb == 0 {
            continue;
        }
        let Some(left) = room.checked_sub(need.memory_mb) else {
            let mut why = format!("{memory} MiB of memory are free, and a start wants {}", need.memory_mb);
            let others = young.agents + count;
            if others > 0 {
                why.push_str(&format!(" beside the {others} that have just started"));
            }
            let by = if need.is_measured { "as earlier runs took; admission.measured" } else { "admission.memory_mb" };
            return (count, Some(format!("{why} ({by})")));
        };
        room = left;
    }
    (needs.len(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Least = Least { memory_mb: 500, disk_mb: 1000 };

    #[test]
    fn as_many_start_as_there_is_room_for_and_what_is_not_known_holds_nothing_back() {
        let free = |memory_mb, disk_mb| Free { memory_mb, disk_mb };
        for (wanted, young, free, expected) in [
            (3, 0, free(Some(1700), Some(5000)), 3),
            (3, 0, free(Some(1499), Some(5000)), 2),
            (3, 2, free(Some(1700), Some(5000)), 1),
            (3, 9, free(Some(1700), Some(5000)), 0),
            (3, 0, free(Some(499), Some(5000)), 0),
            (3, 0, free(Some(9000), Some(999)), 0),
            (3, 0, free(None, None), 3),
            (3, 0, free(None, Some(1000)), 3),
        ] {
            let needs = vec![Need::of(LEAST, None, false); wanted];
            let young = Young { agents: young, memory_mb: 500 * young as u64 };
            let (count, why) = admitted(&needs, young, free, LEAST);
            assert_eq!((count, why.is_some()), (expected, expected < wanted), "{free:?} {young:?}: {why:?}");
        }
        let none = vec![Need::of(Least::default(), Some(900), false); 3];
        let young = Young { agents: 5, memory_mb: 2500 };
        assert_eq!(admitted(&none, young, free(Some(0), Some(0)), Least::default()), (3, None));
    }

    #[test]
    fn what_earlier_runs_took_counts_where_it_is_more_and_another_agent_is_at_work() {
        let need = |memory_mb, is_measured| Need { memory_mb, is_measured };
        assert_eq!(Need::of(LEAST, Some(2000), false), need(2000, true));
        assert_eq!(Need::of(LEAST, Some(2000), true), need(500, false));
        assert_eq!(Need::of(LEAST, Some(100), false), need(500, false));
        let free = Free { memory_mb: Some(2400), disk_mb: None };
        let (count, why) = admitted(&[need(500, false), need(2000, true)], Young::default(), free, LEAST);
        let why = why.unwrap();
        assert_eq!(count, 1);
        assert!(why.contains("wants 2000 beside the 1 that have just started (as earlier runs took"), "{why}");
    }
}
