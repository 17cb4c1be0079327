//! The other end of standard output: whether somebody still reads there.

use std::{io, os::fd::AsFd, time::Duration};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until nobody reads standard output any more: the reader of a pipe or socket has gone, or the terminal has hung
/// up. Never comes for a file. Cancel-safe.
pub async fn reader_gone() {
    while !is_gone(&io::stdout()) {
        tokio::time::sleep(LOOK).await;
    }
}

/// True if writing there would fail because the other end is closed.
fn is_gone(out: &impl AsFd) -> bool {
    let mut asked = [PollFd::new(out.as_fd(), PollFlags::empty())];
    // Ignored: what cannot be told is told by the next write.
    poll(&mut asked, PollTimeout::ZERO).is_ok()
        && asked[0].revents().is_some_and(|what| what.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pipe_without_a_reader_has_lost_its_reader() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        assert!(!is_gone(&writer));
        drop(reader);
        assert!(is_gone(&writer));
        assert!(!is_gone(&tempfile::tempfile().unwrap()));
        assert!(!is_gone(&std::fs::File::open("/dev/null").unwrap()));
    }
}
