//! The loop that owns the screen: events in, drawing out. The work is done on a thread of its own, so that the agent
//! can be typed into, redrawn and ended at any moment.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::{Duration, Instant},
};

use super::{
    Event, Status,
    keys::{Key, Keys},
    runner::Current,
    screen::{Screen, boxed},
    terminal::{self, Terminal},
    words,
    work::Worker,
};

/// Time between two frames of the spinner.
const FRAME: Duration = Duration::from_millis(250);
/// Events handled between two drawings, at most.
const BURST: usize = 500;

/// Runs until the agent is told to go; returns its exit code.
///
/// # Errors
/// There is no terminal, or no thread to be had.
pub fn run() -> io::Result<i32> {
    let terminal = Terminal::take()?;
    let (events, arriving) = sync_channel(256);
    terminal::listen(&events)?;
    let current = Current::default();
    let (texts, submitted) = channel();
    start_worker(events, submitted, current.clone())?;
    let mut ui = Ui::new(texts);
    let code = ui.run(&arriving);
    current.close();
    // Ignored: the terminal may be gone.
    terminal::write(&ui.screen.leave()).ok();
    drop(terminal);
    Ok(code)
}

fn start_worker(events: SyncSender<Event>, submitted: Receiver<String>, current: Current) -> io::Result<()> {
    let run = move || {
        let mut worker = Worker::new(events, &current);
        for text in submitted {
            worker.take(&text);
        }
    };
    thread::Builder::new().name("work".to_owned()).spawn(run).map(|_| ())
}

struct Ui {
    texts: Sender<String>,
    keys: Keys,
    screen: Screen,
    status: Status,
    input: String,
    output: Vec<String>,
}

impl Ui {
    fn new(texts: Sender<String>) -> Self {
        let screen = Screen::new(terminal::columns());
        Self { texts, keys: Keys::default(), screen, status: Status::Booting, input: String::new(), output: Vec::new() }
    }

    fn run(&mut self, arriving: &Receiver<Event>) -> i32 {
        if self.draw().is_err() {
            return 1;
        }
        loop {
            let wait = if matches!(self.status, Status::Busy { .. }) { FRAME } else { Duration::from_secs(3600) };
            let mut next = match arriving.recv_timeout(wait) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return 1,
            };
            for _ in 0..BURST {
                let Some(event) = next else { break };
                if let Some(code) = self.handle(event) {
                    return code;
                }
                next = arriving.try_recv().ok();
            }
            if let Some(code) = next.and_then(|event| self.handle(event)) {
                return code;
            }
            if self.draw().is_err() {
                return 128 + nix::libc::SIGHUP;
            }
        }
    }

    /// Handles one event; returns an exit code when the agent must go.
    fn handle(&mut self, event: Event) -> Option<i32> {
        match event {
            Event::Typed(bytes) => {
                let keys = self.keys.push(&bytes);
                return keys.into_iter().find_map(|key| self.key(key));
            }
            Event::Closed => return Some(128 + nix::libc::SIGHUP),
            Event::Signal(number) => return Some(128 + number),
            Event::Resized => {
                // Ignored: a terminal that is gone shows at the next drawing.
                terminal::write(&self.screen.resize(terminal::columns())).ok();
            }
            Event::Said(line) => self.output.push(line),
            Event::Status(status) => self.status = status,
        }
        None
    }

    fn key(&mut self, key: Key) -> Option<i32> {
        let busy = matches!(self.status, Status::Busy { .. });
        match key {
            Key::Text(text) => self.input.push_str(&text),
            Key::Backspace => drop(self.input.pop()),
            Key::Clear => self.input.clear(),
            Key::Eof if self.input.is_empty() && busy => {
                self.output.push("A block is running: /exit ends it and this agent.".to_owned());
            }
            Key::Eof if self.input.is_empty() => return Some(0),
            Key::Eof => {}
            Key::Enter => return self.submit(busy),
        }
        None
    }

    fn submit(&mut self, busy: bool) -> Option<i32> {
        if self.input.trim().is_empty() {
            self.input.clear();
            return None;
        }
        let text = std::mem::take(&mut self.input);
        self.output.extend(boxed(&text, self.screen.columns()));
        if text.trim() == "/exit" {
            return Some(0);
        }
        if busy && words::prompt_file(&text).is_none() {
            self.output.push("I am at work and took no notice of that: say it when I have stopped.".to_owned());
            return None;
        }
        if self.texts.send(text).is_err() {
            self.status = Status::Failed { why: "the working thread is gone".to_owned() };
        } else if !busy {
            // At once, and not only when the worker says so: the next text comes while something runs.
            self.status = Status::Busy { what: "prompt".to_owned(), since: Instant::now() };
        }
        None
    }

    fn draw(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        let bytes = self.screen.draw(&output, &self.input, &self.status.line());
        if bytes.is_empty() { Ok(()) } else { terminal::write(&bytes) }
    }
}
