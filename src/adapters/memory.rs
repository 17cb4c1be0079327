//! The program's own memory: kept small, for a supervisor that runs all night.
//!
//! The allocator of glibc gives each thread a pool of its own and keeps what was freed in the midst of one. A
//! supervisor uses threads only to wait for files, and after a busy minute half of what it held is free.

/// One pool for all threads that begin from now on, and large pieces straight from the system and back to it.
pub fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD};
        const LARGE: nix::libc::c_int = 128 << 10;
        for (option, value) in [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)] {
            set(option, value);
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is tuned by a C function")]
fn set(option: nix::libc::c_int, value: nix::libc::c_int) {
    // SAFETY: mallopt takes two numbers; one it does not know is refused.
    unsafe { nix::libc::mallopt(option, value) };
}

/// Gives back to the system what is free.
#[cfg_attr(all(target_os = "linux", target_env = "gnu"), expect(unsafe_code, reason = "a C function of the allocator"))]
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time, by any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
