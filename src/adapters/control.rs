//! The supervisor's socket: one request, one answer, a line of JSON each. Only the same user may connect: the folder
//! of the socket is private.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// Longest request or answer, in bytes: a text of 100 KB for an agent, escaped, and room to spare.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// Why a supervisor could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no supervisor listens on {}", .0.display())]
    Nobody(PathBuf),
    /// It did not answer in time.
    #[error("the supervisor on {} did not answer within {} s", .0.display(), .1)]
    Silent(PathBuf, u64),
    /// The connection broke.
    #[error("the connection to the supervisor on {} broke: {}", .0.display(), .1)]
    Broken(PathBuf, io::Error),
}

/// Where a supervisor listens.
pub struct ControlListener {
    listener: UnixListener,
    path: PathBuf,
}

/// A request that came in, and its way back.
pub struct Exchange {
    /// The line that was sent, without its end.
    pub request: String,
    stream: UnixStream,
}

impl ControlListener {
    /// Listens on `path`. A socket file that is there is one that a dead supervisor left: the caller holds the lock.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { listener: UnixListener::bind(path)?, path: path.to_owned() })
    }

    /// The next connection, not read yet.
    ///
    /// # Errors
    /// The listener is of no more use.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for ControlListener {
    fn drop(&mut self) {
        // Ignored: a socket file that stays is removed by the next supervisor.
        std::fs::remove_file(&self.path).ok();
    }
}

impl Exchange {
    /// Reads the request of a connection, within 10 s.
    ///
    /// # Errors
    /// It is not a line, too long, or too slow.
    pub async fn read(mut stream: UnixStream) -> io::Result<Self> {
        let request = timeout(Duration::from_secs(10), read_line(&mut stream)).await??;
        Ok(Self { request, stream })
    }

    /// Answers it.
    ///
    /// # Errors
    /// Whoever asked has gone.
    pub async fn answer(mut self, line: &str) -> io::Result<()> {
        write_line(&mut self.stream, line).await
    }
}

/// Sends one request and waits for its answer.
///
/// # Errors
/// See [`ControlError`]; with `Silent` or `Broken` it is not known whether the request was met.
pub async fn call(path: &Path, request: &str, wait: Duration) -> Result<String, ControlError> {
    let mut stream = UnixStream::connect(path).await.map_err(|_| ControlError::Nobody(path.to_owned()))?;
    let exchange = async {
        write_line(&mut stream, request).await?;
        read_line(&mut stream).await
    };
    match timeout(wait, exchange).await {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => Err(ControlError::Broken(path.to_owned(), error)),
        Err(_) => Err(ControlError::Silent(path.to_owned(), wait.as_secs())),
    }
}

async fn write_line(stream: &mut UnixStream, line: &str) -> io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.write_all(b"\n").await?;
    stream.flush().await
}

async fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line).await?;
    if line.pop() != Some('\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line has no end"));
    }
    Ok(line)
}
