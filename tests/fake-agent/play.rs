//! Plays a scenario.

mod act;

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use serde_json::json;

use crate::{
    face::{Dialog, Face, columns, put},
    input::{self, Key},
    log,
    scenario::{Scenario, Step},
};

/// The scenario is over: with this exit code, or it is wrong.
type Over = Result<u8, String>;

/// Plays until the agent is told to go; returns its exit code.
pub fn play(scenario: &Scenario) -> Result<u8, String> {
    let before = tcgetattr(std::io::stdin()).map_err(|why| format!("standard input is no terminal: {why}"))?;
    let mut raw = before.clone();
    cfmakeraw(&mut raw);
    tcsetattr(std::io::stdin(), SetArg::TCSANOW, &raw).map_err(|why| why.to_string())?;
    put("\x1b[?2004h");
    let mut agent = Agent::new(before);
    let over = agent.steps(&scenario.steps).and_then(|()| agent.stay(scenario.prompts.as_deref()));
    agent.restore();
    over.unwrap_or_else(|over| over)
}

struct Agent {
    before: Termios,
    keys: Receiver<Key>,
    face: Face,
    output: String,
    input: String,
    status: String,
    busy: Option<Instant>,
    frame: Duration,
    dialog: Option<Dialog>,
    picked: Option<bool>,
    prompts: VecDeque<String>,
    prompt: String,
    swallow: u32,
    burst: Duration,
    paste_delay: Duration,
    pasted: Option<Instant>,
    dialog_before_enter: Option<String>,
    /// What is waited for comes from no key.
    polls: bool,
    /// Set when a key says that the agent must go.
    over: Option<u8>,
}

impl Agent {
    fn new(before: Termios) -> Self {
        Self {
            before,
            keys: input::listen(),
            face: Face::new(),
            output: String::new(),
            input: String::new(),
            status: "booting".to_owned(),
            busy: None,
            frame: Duration::from_millis(250),
            dialog: None,
            picked: None,
            prompts: VecDeque::new(),
            prompt: String::new(),
            swallow: 0,
            burst: Duration::ZERO,
            paste_delay: Duration::ZERO,
            pasted: None,
            dialog_before_enter: None,
            polls: false,
            over: None,
        }
    }

    fn restore(&mut self) {
        self.draw();
        put("\x1b[?2004l\x1b[?25h\r\n");
        // Ignored: a terminal that is gone needs nothing put back.
        tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.before).ok();
    }

    /// After the last step: ready, and what the scenario says for each prompt.
    fn stay(&mut self, prompts: Option<&[Step]>) -> Result<Over, Over> {
        loop {
            self.set("ready");
            self.expect_prompt()?;
            self.steps(prompts.unwrap_or_default())?;
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Over> {
        for step in steps {
            match step {
                Step::Do(word, rest) => self.step(word, &self.filled(rest))?,
                Step::Repeat(times, steps) => {
                    let mut done = 0;
                    while times.is_none_or(|times| done < times) {
                        done += 1;
                        self.steps(steps)?;
                    }
                }
                Step::IfPrompt(words, steps) if self.prompt.contains(words) => self.steps(steps)?,
                Step::IfPrompt(..) => {}
            }
            self.wait(Some(Duration::ZERO), |_| false)?;
        }
        Ok(())
    }

    fn step(&mut self, word: &str, rest: &str) -> Result<(), Over> {
        let number = rest.parse::<f64>().unwrap_or_default();
        let whole = number as u32;
        match word {
            "ready" => self.set("ready"),
            "status" => self.set(rest),
            "busy" => {
                self.busy = Some(Instant::now());
                self.wait(Some(Duration::from_secs_f64(number)), |_| false)?;
            }
            "pause" => self.wait(Some(Duration::from_secs_f64(number)), |_| false)?,
            "stamp" => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let at_ns = u64::try_from(since.as_nanos()).unwrap_or_default();
                log::record(&json!({ "stamp": rest, "at_ns": at_ns }));
            }
            "spinner" => self.frame = Duration::from_secs_f64(1.0 / number.clamp(0.1, 1000.0)),
            "show" => self.output.push_str(&format!("{}\n", unescaped(rest))),
            "title" => put(&format!("\x1b]0;{}\x07", unescaped(rest))),
            "flood" => (1..=whole).for_each(|line| self.output.push_str(&format!("flood, line {line}\n"))),
            "alt-screen" => {
                put("\x1b[?1049h\x1b[H");
                self.face.forget();
            }
            "box" => self.face.prefix = unescaped(rest) + " ",
            "expect-prompt" => self.expect_prompt()?,
            "echo-prompt" => self.output.push_str(&format!("{}\n", self.prompt.clone())),
            "wait-file" => {
                self.polls = true;
                self.wait(None, |_| std::path::Path::new(rest).exists())?;
                self.polls = false;
            }
            "swallow-enter" => self.swallow = whole,
            "enter-newline-if-within" => self.burst = Duration::from_secs_f64(number / 1000.0),
            "paste-delay" => self.paste_delay = Duration::from_secs_f64(number / 1000.0),
            "trust-dialog" => {
                let head = "Do you trust the files in this folder?";
                self.ask(Dialog { name: "trust", head, text: "(it is a test)".to_owned(), yes: rest.is_empty() })?;
                if self.picked == Some(false) {
                    return Err(Ok(1));
                }
            }
            "permission" => self.ask(permission(rest))?,
            "dialog-before-enter" => self.dialog_before_enter = Some(rest.to_owned()),
            "question" => {
                self.output.push_str(&format!("? {}\n", unescaped(rest)));
                self.set("question");
                self.expect_prompt()?;
            }
            "usage-limit" => {
                self.output.push_str(&format!("{}\n", unescaped(rest)));
                self.set("limited");
            }
            "marker" => self.marker(rest),
            "marker-quoted" => {
                let marker = self.filled("AUTODO-DONE-{key}");
                self.output
                    .push_str(&format!("as asked: {marker}\n\"{marker}\"\n+{marker}\n{marker} is what I print\n"));
            }
            _ => return self.act(word, rest, whole),
        }
        Ok(())
    }

    fn set(&mut self, status: &str) {
        self.busy = None;
        self.status = status.to_owned();
    }

    fn expect_prompt(&mut self) -> Result<(), Over> {
        self.wait(None, |agent| !agent.prompts.is_empty())?;
        self.prompt = self.prompts.pop_front().unwrap_or_default();
        self.busy = Some(Instant::now());
        Ok(())
    }

    fn ask(&mut self, dialog: Dialog) -> Result<(), Over> {
        self.picked = None;
        self.dialog = Some(dialog);
        self.wait(None, |agent| agent.picked.is_some())
    }

    fn marker(&mut self, rest: &str) {
        let (word, glyph) = rest.split_once(' ').map_or((rest, String::new()), |(w, g)| (w, format!("{g} ")));
        let line = self.filled(&format!("{glyph}AUTODO-{}-{{key}}\n", word.to_uppercase()));
        self.output.push_str(&line);
    }

    /// Draws and takes keys until `done`, or until the time is over. At least once.
    fn wait(&mut self, time: Option<Duration>, done: impl Fn(&Self) -> bool) -> Result<(), Over> {
        let until = time.map(|time| Instant::now() + time);
        loop {
            while let Ok(key) = self.keys.try_recv() {
                self.key(key);
            }
            self.draw();
            if let Some(code) = self.over {
                return Err(Ok(code));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if done(self) || left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            // An idle agent wakes rarely: benchmarks run a hundred of them.
            let tick =
                if self.polls || self.hides_paste() { Duration::from_millis(20) } else { Duration::from_millis(250) };
            let tick = if self.busy.is_some() { tick.min(self.frame) } else { tick };
            match self.keys.recv_timeout(tick.min(left.unwrap_or(tick))) {
                Ok(key) => self.key(key),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Ok(129)),
            }
        }
    }

    fn hides_paste(&self) -> bool {
        self.pasted.is_some_and(|at| at.elapsed() < self.paste_delay)
    }

    fn draw(&mut self) {
        let status = match self.busy {
            Some(since) => {
                let time = since.elapsed();
                let frame = (time.as_millis() / self.frame.as_millis().max(1)) % 10;
                let glyph = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".chars().nth(frame as usize).unwrap_or('⠋');
                format!("busy {glyph} {}s", time.as_secs())
            }
            None => self.status.clone(),
        };
        let input = if self.hides_paste() { "" } else { &self.input };
        self.face.draw(&std::mem::take(&mut self.output), input, &status, self.dialog.as_ref());
    }

    fn key(&mut self, key: Key) {
        if let Some(dialog) = self.dialog.clone() {
            return self.pick(&dialog, &key);
        }
        match key {
            Key::Char(c) => self.input.push(c),
            Key::Paste(text) => {
                self.input.push_str(&text);
                self.pasted = Some(Instant::now());
                if let Some(text) = self.dialog_before_enter.take() {
                    // The pasted text is seen in the box first; then the dialog hides it.
                    self.draw();
                    self.dialog = Some(permission(&text));
                }
            }
            Key::Backspace => drop(self.input.pop()),
            Key::Ctrl('c') => self.input.clear(),
            Key::Ctrl('d') if self.input.is_empty() => self.over = Some(0),
            Key::Closed => self.over = Some(129),
            Key::Enter if self.swallow > 0 => self.swallow -= 1,
            Key::Enter if self.pasted.is_some_and(|at| at.elapsed() < self.burst) => self.input.push('\n'),
            Key::Enter => self.submit(),
            Key::Escape | Key::Ctrl(_) => {}
        }
    }

    fn submit(&mut self) {
        if self.input.trim().is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.input);
        self.pasted = None;
        log::record(&json!({ "prompt": text }));
        let rows = self.face.boxed(&text, columns());
        self.output.push_str(&format!("{}\n", rows.join("\n")));
        if text.trim() == "/exit" {
            self.over = Some(0);
        } else {
            self.prompts.push_back(text);
        }
    }

    fn pick(&mut self, dialog: &Dialog, key: &Key) {
        let (yes, name) = match key {
            Key::Enter => (dialog.yes, "enter"),
            Key::Char('1') => (true, "1"),
            Key::Char('2') => (false, "2"),
            Key::Escape => (false, "escape"),
            Key::Closed => return self.over = Some(129),
            _ => return,
        };
        log::record(&json!({ "dialog": dialog.name, "text": dialog.text, "key": name, "yes": yes }));
        self.output.push_str(if yes { "● allowed\n" } else { "● denied\n" });
        self.dialog = None;
        self.picked = Some(yes);
    }
}

fn permission(text: &str) -> Dialog {
    Dialog { name: "permission", head: "Do you want to proceed?", text: unescaped(text), yes: true }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('e') => '\u{1b}',
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            (c, false) => c,
        });
    }
    plain
}
