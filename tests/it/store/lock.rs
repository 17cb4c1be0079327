//! One holder at a time.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use autodo::adapters::{
    home::Home,
    store::{Lock, LockError, open},
};

use super::Bed;

#[test]
fn of_eight_threads_one_holds_the_lock_at_a_time_and_all_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let (inside, turns) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let lock = Lock::acquire(&home, Duration::from_secs(20)).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(turns.into_inner(), 40);
}

#[test]
fn a_held_lock_names_its_holder_after_the_wait() {
    let bed = Bed::new();
    let began = Instant::now();
    let error = Lock::acquire(&bed.home, Duration::from_millis(100)).unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(matches!(error, LockError::Held { .. }));
    let holder = format!("held by process {}, since 20", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
}

#[test]
fn a_child_does_not_inherit_the_lock() {
    let bed = Bed::new();
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    drop(bed.lock);
    let again = Lock::acquire(&bed.home, Duration::ZERO);
    drop(child.stdin.take());
    child.wait().unwrap();
    again.unwrap();
}

#[test]
fn a_lock_file_that_was_removed_keeps_nobody_out_and_nobody_in() {
    let bed = Bed::new();
    std::fs::remove_file(bed.home.lock()).unwrap();
    let second = Lock::acquire(&bed.home, Duration::ZERO).unwrap();
    assert!(matches!(Lock::acquire(&bed.home, Duration::ZERO), Err(LockError::Held { .. })));
    drop(second);
}

#[test]
fn the_lock_of_another_home_does_not_open_this_one() {
    let (one, other) = (Bed::new(), Bed::new());
    assert!(open(&one.home, &other.lock).is_err());
}
