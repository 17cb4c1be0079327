//! The datagram socket that says: look.
//!
//! What a datagram holds is never read: anybody of this user may send one, and all it does is to make the supervisor
//! look at its files, which it does at every tick anyway.

use std::{
    io::{self, ErrorKind},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixDatagram as Socket,
    },
    path::{Path, PathBuf},
};

use tokio::net::UnixDatagram;

/// Most datagrams taken at once: a flood must not keep the listener from its work.
const AT_ONCE: usize = 1024;

/// Why nobody listens.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// Somebody else listens there.
    #[error("cannot listen on {}: another process listens there", .0.display())]
    Taken(PathBuf),
    /// A file that is not a socket lies there.
    #[error("cannot listen on {}: a file that is not a socket lies there", .0.display())]
    NotASocket(PathBuf),
    /// Anything else.
    #[error("cannot listen on {}: {why}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
}

/// The listening end. The socket file is removed when it is dropped.
#[derive(Debug)]
pub struct WakeListener {
    socket: UnixDatagram,
    path: PathBuf,
    inode: u64,
}

impl WakeListener {
    /// Listens on `path` (at most 107 bytes), for this user only. The socket of an owner that is dead is replaced. Must
    /// be called within a tokio runtime.
    ///
    /// # Errors
    /// [`WakeError`].
    pub fn bind(path: &Path) -> Result<Self, WakeError> {
        let error = |why| WakeError::Io { path: path.to_owned(), why };
        remove_dead(path)?;
        let socket = UnixDatagram::bind(path).map_err(error)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(error)?;
        let inode = std::fs::metadata(path).map_err(error)?.ino();
        Ok(Self { socket, path: path.to_owned(), inode })
    }

    /// Waits until somebody says "look", and takes all that was said by then. Cancel-safe: what is not taken wakes the
    /// next call. A socket that fails never wakes: the looks at every tick go on without it.
    pub async fn woken(&mut self) {
        let mut some = [0; 8];
        loop {
            if self.socket.readable().await.is_err() {
                return std::future::pending().await;
            }
            for taken in 0..AT_ONCE {
                match self.socket.try_recv(&mut some) {
                    Ok(_) => {}
                    Err(e) if e.kind() == ErrorKind::WouldBlock && taken == 0 => break,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                    Err(_) => return std::future::pending().await,
                }
                if taken + 1 == AT_ONCE {
                    return;
                }
            }
        }
    }
}

impl Drop for WakeListener {
    fn drop(&mut self) {
        if std::fs::metadata(&self.path).is_ok_and(|m| m.ino() == self.inode) {
            // Ignored: a socket file that stays is replaced by the next listener.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Says "look" to whoever listens on `path`. Never waits, and nobody listening is no error.
pub fn wake(path: &Path) {
    let Ok(socket) = Socket::unbound() else { return };
    if socket.set_nonblocking(true).is_ok() {
        // Ignored: the listener looks at its files without this, only later. A full queue means that it is told already.
        socket.send_to(b"look", path).ok();
    }
}

fn remove_dead(path: &Path) -> Result<(), WakeError> {
    let error = |why| WakeError::Io { path: path.to_owned(), why };
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(error(e)),
        Ok(found) if !found.file_type().is_socket() => return Err(WakeError::NotASocket(path.to_owned())),
        Ok(_) => {}
    }
    let knock = Socket::unbound().and_then(|socket| socket.connect(path));
    match knock {
        Ok(()) => Err(WakeError::Taken(path.to_owned())),
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(error),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(error(e)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn wakes(listener: &mut WakeListener, within_ms: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(within_ms), listener.woken()).await.is_ok()
    }

    #[tokio::test]
    async fn many_words_wake_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wake");
        let mut listener = WakeListener::bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!wakes(&mut listener, 20).await);
        for _ in 0..5 {
            wake(&path);
        }
        assert!(wakes(&mut listener, 5000).await);
        assert!(!wakes(&mut listener, 20).await);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_dead_owners_socket_is_replaced_and_a_living_ones_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wake");
        drop(Socket::bind(&path).unwrap());
        let mut listener = WakeListener::bind(&path).unwrap();
        assert!(matches!(WakeListener::bind(&path), Err(WakeError::Taken(_))));
        wake(&path);
        assert!(wakes(&mut listener, 5000).await);
        let file = folder.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        assert!(matches!(WakeListener::bind(&file), Err(WakeError::NotASocket(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }

    #[tokio::test]
    async fn a_full_queue_nobody_and_an_overlong_path_do_not_hold_the_sender() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wake");
        wake(&path);
        wake(&folder.path().join("x".repeat(200)));
        let mut listener = WakeListener::bind(&path).unwrap();
        for _ in 0..5000 {
            wake(&path);
        }
        assert!(wakes(&mut listener, 5000).await);
    }
}
