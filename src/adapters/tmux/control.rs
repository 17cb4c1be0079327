//! The control client: one tmux client that stays, and runs commands at a fraction of what a process for each costs.
//!
//! It is attached to the anchor session with `no-output`, so it is told nothing of what panes print: a supervisor that
//! is stuck or killed can stall no pane (tmux 3.3a freezes the panes of a client that takes output and does not read).
//! It is only ever a short cut: where it is not there, fails, lags or says what cannot be read, it is ended, each
//! command is a process again, and it rests for a while. Only that other way proves that there is no server.
//!
//! Each request is one line, and one that prints a word of its own: what comes before that word's block answers it.

use std::{
    os::unix::fs::MetadataExt as _,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tmux_interface::{AttachSession, DisplayMessage};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    capture::nonce,
    client::Answer,
    command::{Cmd, body},
    place::TmuxPlace,
    server::ANCHOR,
};
use crate::{
    format::tmux::{
        Version,
        control::{Block, Message, Parser},
    },
    ports::terminal::TerminalError,
};

/// Longest that opening it may take.
const OPENING: Duration = Duration::from_secs(2);
/// It is closed when it was not asked for so long.
const UNUSED: Duration = Duration::from_secs(60);
/// How long it rests after a failure: doubled each time, up to the second; forgotten after a good while in use.
const REST: Duration = Duration::from_secs(1);
const MOST_REST: Duration = Duration::from_secs(300);
/// Longest text of a request, in bytes: tmux reads long lines slowly (a megabyte in half a second), and meanwhile
/// serves nobody else.
const LONGEST: usize = 32 << 10;
/// Commands that leak there (`capture-pane`, tmux 3.2 to 3.5a), or whose errors come after their answer.
const NEVER: &[&str] = &["capture-pane", "load-buffer", "run-shell", "wait-for", "source-file"];

/// The control client, opened when it is first asked.
#[derive(Debug, Default)]
pub(super) struct Control {
    is_held: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    line: Option<Line>,
    rests_until: Option<Instant>,
    failures: u32,
}

/// One that is open.
#[derive(Debug)]
struct Line {
    requests: mpsc::Sender<Request>,
    /// Ends with why it cannot be used any more; `Ok`: nobody asked it.
    task: JoinHandle<Result<(), String>>,
    /// Device and inode of the socket it was opened by: with another one there, it speaks to another server.
    socket: (u64, u64),
    since: Instant,
}

#[derive(Debug)]
struct Request {
    text: String,
    limit: Duration,
    reply: oneshot::Sender<Result<Answer, TerminalError>>,
}

impl Control {
    /// From now on it is used; before, nothing is opened.
    pub(super) fn hold(&self) {
        self.is_held.store(true, Ordering::Relaxed);
    }

    /// Runs `commands` as one list. `None`: it cannot be asked, and nothing was sent.
    ///
    /// # Errors
    /// `Lost` if it ended, lagged longer than `limit`, or said what cannot be read: what was done is unknown.
    ///
    /// # Cancel safety
    /// A dropped call that was not sent yet is never sent; one that was is carried out.
    pub(super) async fn ask(
        &self,
        place: &TmuxPlace,
        commands: &[Cmd],
        limit: Duration,
    ) -> Option<Result<Answer, TerminalError>> {
        if !self.is_held.load(Ordering::Relaxed) || commands.iter().any(|command| NEVER.contains(&command.name())) {
            return None;
        }
        let text = body(commands);
        if text.len() > LONGEST {
            return None;
        }
        let requests = self.state.lock().await.requests(place).await?;
        let (reply, answer) = oneshot::channel();
        // Ignored: it has ended since; nothing was sent.
        requests.send(Request { text, limit, reply }).await.ok()?;
        Some(match answer.await {
            Ok(answer) => answer,
            // Taken, and never answered: only if its task was ended from outside.
            Err(_closed) => Err(TerminalError::Lost("it was ended".to_owned())),
        })
    }
}

impl State {
    /// Where to send requests, opening it if it is not there and does not rest.
    async fn requests(&mut self, place: &TmuxPlace) -> Option<mpsc::Sender<Request>> {
        let socket = socket_of(place);
        if let Some(line) = self.line.take_if(|line| line.requests.is_closed() || Some(line.socket) != socket) {
            // Its task ends when there is nobody left to send.
            drop(line.requests);
            match line.task.await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => self.failed(&why, line.since),
                Err(why) => self.failed(&why.to_string(), line.since),
            }
        }
        if self.line.is_none() {
            let socket = socket?;
            if self.rests_until.is_some_and(|until| Instant::now() < until) {
                return None;
            }
            let opened = timeout(OPENING, Session::open(place)).await;
            match opened.unwrap_or_else(|_elapsed| Err(format!("it was not attached within {} s", OPENING.as_secs()))) {
                Ok(session) => {
                    let (requests, to_do) = mpsc::channel(8);
                    let task = tokio::spawn(session.serve(to_do));
                    self.line = Some(Line { requests, task, socket, since: Instant::now() });
                }
                Err(why) => self.failed(&why, Instant::now()),
            }
        }
        self.line.as_ref().map(|line| line.requests.clone())
    }

    fn failed(&mut self, why: &str, since: Instant) {
        self.failures = if since.elapsed() > MOST_REST { 1 } else { self.failures + 1 };
        let rest = REST.saturating_mul(1 << (self.failures - 1).min(16)).min(MOST_REST);
        self.rests_until = Some(Instant::now() + rest);
        let rest_s = rest.as_secs();
        tracing::info!(why, rest_s, "no control client of tmux: each command is a process of its own");
    }
}

fn socket_of(place: &TmuxPlace) -> Option<(u64, u64)> {
    // Ignored: a socket that cannot be looked at is left to the other way, which says what is wrong.
    let found = std::fs::metadata(&place.socket).ok()?;
    Some((found.dev(), found.ino()))
}

/// The client as a process, attached.
#[derive(Debug)]
struct Session {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    parser: Parser,
    nonce: String,
    asked: u64,
}

impl Session {
    /// Starts it, and waits until it is attached: tmux 3.3a loses commands that come earlier.
    async fn open(place: &TmuxPlace) -> Result<Self, String> {
        let mut command = Command::new(&place.program);
        command.env_clear().envs(place.environment()).current_dir("/").kill_on_drop(true).process_group(0);
        command.args(["-N", "-u", "-C", "-S"]).arg(&place.socket);
        command.args(Cmd::of(&AttachSession::new().target_session(format!("={ANCHOR}")).build()).words());
        command.args(["-f", "no-output,ignore-size"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|why| format!("cannot run {}: {why}", place.program.display()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| "it has no pipes".to_owned())?;
        let nonce = nonce().map_err(|why| why.to_string())?;
        let mut session = Self { child, stdin, stdout, parser: Parser::default(), nonce, asked: 0 };
        loop {
            match session.message().await? {
                Message::Notice(notice) if notice.starts_with("session-changed ") => break,
                Message::Block(Block { is_ok: false, output, .. }) => {
                    return Err(String::from_utf8_lossy(&output).trim().to_owned());
                }
                Message::Notice(_) | Message::Block(_) => {}
            }
        }
        let ask = Cmd::of(&DisplayMessage::new().print().message("tmux #{version}").build());
        let said = session.exchange(&ask.line()).await?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        match Version::parse(&said) {
            Ok(version) if version.is_tested() => Ok(session),
            Ok(_) | Err(_) => Err(format!("it was never tested with a server of version {:?}", said.trim())),
        }
    }

    /// Serves requests until nobody can send any, none comes for a good while, or it fails.
    async fn serve(mut self, mut requests: mpsc::Receiver<Request>) -> Result<(), String> {
        let served = loop {
            tokio::select! {
                biased;
                request = requests.recv() => {
                    let Some(request) = request else { break Ok(()) };
                    if request.reply.is_closed() {
                        continue;
                    }
                    let answered = timeout(request.limit, self.exchange(&request.text)).await;
                    let late = || Err(format!("it did not answer within {} ms", request.limit.as_millis()));
                    let answered = answered.unwrap_or_else(|_elapsed| late());
                    let why = answered.as_ref().err().cloned();
                    // Nobody may ask it after a failure was told.
                    if why.is_some() {
                        requests.close();
                    }
                    // Ignored: whoever asked has gone.
                    request.reply.send(answered.map_err(TerminalError::Lost)).ok();
                    if let Some(why) = why {
                        break Err(why);
                    }
                }
                message = self.message() => match message {
                    Ok(message) => tracing::trace!(?message, "control client"),
                    Err(why) => break Err(why),
                },
                () = tokio::time::sleep(UNUSED) => break Ok(()),
            }
        };
        requests.close();
        drop(self.stdin);
        // Ignored: it ends by itself when its input ends, and is killed if it does not.
        timeout(OPENING, self.child.wait()).await.ok();
        served
    }

    /// Sends one line, and reads what answers it.
    async fn exchange(&mut self, line: &str) -> Result<Answer, String> {
        self.asked += 1;
        let word = format!("{}|{}", self.nonce, self.asked);
        let end = Cmd::of(&DisplayMessage::new().print().message(word.as_str()).build()).line();
        let text = format!("{line}\n{end}\n");
        let cannot = |why: std::io::Error| format!("cannot write to it: {why}");
        self.stdin.write_all(text.as_bytes()).await.map_err(cannot)?;
        let mut answer = Answer { is_ok: true, stdout: Vec::new(), stderr: String::new() };
        loop {
            let Message::Block(block) = self.message().await? else { continue };
            if !block.is_own {
                continue;
            }
            if block.is_ok && block.output.strip_suffix(b"\n") == Some(word.as_bytes()) {
                return Ok(answer);
            }
            if block.is_ok {
                answer.stdout.extend_from_slice(&block.output);
            } else {
                answer.is_ok = false;
                answer.stderr.push_str(&String::from_utf8_lossy(&block.output));
            }
        }
    }

    /// The next thing it says.
    ///
    /// # Cancel safety
    /// Nothing that was read is lost.
    async fn message(&mut self) -> Result<Message, String> {
        loop {
            match self.parser.message().map_err(|why| why.to_string())? {
                Some(Message::Notice(notice)) if notice == "exit" || notice.starts_with("exit ") => {
                    return Err(format!("it ended ({notice})"));
                }
                Some(message) => return Ok(message),
                None => {}
            }
            let mut bytes = [0_u8; 16 << 10];
            let read = self.stdout.read(&mut bytes).await.map_err(|why| format!("cannot read from it: {why}"))?;
            if read == 0 {
                return Err("it ended".to_owned());
            }
            self.parser.feed(bytes.get(..read).unwrap_or_default());
        }
    }
}
