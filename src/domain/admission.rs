//! Admission: how many tickets the machine has room for now. Agents take their memory some time after their start, so
//! those that have just started count as if they had not taken it yet.

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

/// How many of `wanted` tickets may start now, beside `young` agents that have just started; and why not all, in words.
#[must_use]
pub fn admitted(wanted: usize, young: usize, free: Free, least: Least) -> (usize, Option<String>) {
    if let Some(disk) = free.disk_mb.filter(|disk| *disk < least.disk_mb) {
        let why = format!("{disk} MiB of disk space are free, and a start wants {} (admission.disk_mb)", least.disk_mb);
        return (0, Some(why));
    }
    let (Some(memory), true) = (free.memory_mb, least.memory_mb > 0) else { return (wanted, None) };
    let room = usize::try_from(memory / least.memory_mb).unwrap_or(usize::MAX).saturating_sub(young);
    if room >= wanted {
        return (wanted, None);
    }
    let others = match young {
        0 => String::new(),
        n => format!(" beside the {n} that have just started"),
    };
    let why =
        format!("{memory} MiB of memory are free, and a start wants {}{others} (admission.memory_mb)", least.memory_mb);
    (room, Some(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_start_as_there_is_room_for_and_what_is_not_known_holds_nothing_back() {
        let least = Least { memory_mb: 500, disk_mb: 1000 };
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
            let (count, why) = admitted(wanted, young, free, least);
            assert_eq!((count, why.is_some()), (expected, expected < wanted), "{free:?} {young}: {why:?}");
        }
        assert_eq!(admitted(3, 5, free(Some(0), Some(0)), Least::default()), (3, None));
    }
}
