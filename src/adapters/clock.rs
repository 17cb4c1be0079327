//! The system's clock and randomness.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};

use crate::ports::clock::Clock;

/// The zone in the file that the machine names as its own. By its name it would be the same, and all names of the
/// database would be read and kept to find it: half a megabyte.
fn machine_zone(file: &Path) -> Option<TimeZone> {
    // Ignored: where it is not as usual, jiff knows other places.
    let named = std::fs::canonicalize(file).ok()?;
    let name = named.to_str()?.rsplit_once("zoneinfo/").map(|(_, name)| name.to_owned())?;
    TimeZone::tzif(&name, &std::fs::read(&named).ok()?).ok()
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        let own = || machine_zone(Path::new("/etc/localtime"));
        super::env::var("TZ").is_none().then(own).flatten().unwrap_or_else(TimeZone::system)
    }

    fn random(&self) -> u32 {
        // Without randomness a key would be guessable, but the work must go on: the clock's nanoseconds serve then.
        getrandom::u32().unwrap_or_else(|_| Timestamp::now().subsec_nanosecond().unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_zone_is_the_one_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("localtime");
        assert_eq!(machine_zone(&link), None);
        let database = Path::new("/usr/share/zoneinfo");
        for name in ["Europe/Berlin", "America/St_Johns", "Etc/UTC"] {
            std::os::unix::fs::symlink(database.join(name), &link).unwrap();
            let (own, known) = (machine_zone(&link).unwrap(), TimeZone::get(name).unwrap());
            for second in (0..200).map(|month| 1_500_000_000 + month * 2_629_746) {
                let at = Timestamp::from_second(second).unwrap();
                assert_eq!(own.to_offset(at), known.to_offset(at), "{name} at {at}");
            }
            std::fs::remove_file(&link).unwrap();
        }
        std::fs::write(&link, "no zone").unwrap();
        assert_eq!(machine_zone(&link), None);
    }
}
