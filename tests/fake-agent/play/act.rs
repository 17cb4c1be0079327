//! Steps that touch the world: commands, files, signals.

use std::{os::unix::process::CommandExt, process::Command};

use nix::sys::signal::{SigHandler, Signal, raise, signal};
use serde_json::json;

use super::{Agent, Over};
use crate::log;

impl Agent {
    /// Steps that touch the world.
    pub(super) fn act(&mut self, word: &str, rest: &str, whole: u32) -> Result<(), Over> {
        match word {
            "run" => self.command(Command::new("sh").args(["-c", rest]), true),
            "report" => self.autodo("report", rest, &[])?,
            "report-as" => {
                let mut parts = rest.splitn(3, ' ');
                let (run, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                self.autodo("report", parts.next().unwrap_or_default(), &[("AUTODO_RUN", run), ("AUTODO_KEY", key)])?;
            }
            "approve" if rest.is_empty() => self.autodo("approve", &self.filled("{ticket}"), &[])?,
            "approve" => self.autodo("approve", rest, &[])?,
            // What became of these shows in the test's own look at the files.
            "rm-autodo" => drop(std::fs::remove_dir_all(".autodo")),
            "edit-config" => {
                let written = std::fs::create_dir_all(".autodo")
                    .and_then(|()| std::fs::write(".autodo/config.toml", "version = 1\nchecks = []\n"));
                written.map_err(|why| Err(format!("edit-config: {why}")))?;
            }
            "kill-server" => self.command(Command::new("tmux").arg("kill-server"), true),
            "background" => {
                let line = format!("trap '' HUP; sleep {rest}");
                let child = Command::new("sh").args(["-c", &line]).process_group(0).spawn();
                let child = child.map_err(|why| Err(format!("background: {why}")))?;
                log::record(&json!({ "background": child.id() }));
            }
            "deaf" => [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT]
                .into_iter()
                .for_each(|s| dispose(s, SigHandler::SigIgn)),
            "hang" => loop {
                std::thread::park();
            },
            "crash" => {
                self.draw();
                std::process::exit(i32::try_from(whole).unwrap_or(1));
            }
            "signal" => {
                self.draw();
                let raised = Signal::try_from(whole as i32).and_then(|signal| {
                    // The runtime has handlers of its own for some.
                    dispose(signal, SigHandler::SigDfl);
                    raise(signal)
                });
                raised.map_err(|why| Err(format!("signal {whole}: {why}")))?;
            }
            "exit" => return Err(Ok(u8::try_from(whole).unwrap_or(99))),
            _ => return Err(Err(format!("{word} is not played by anything"))),
        }
        Ok(())
    }

    /// Puts in what the agent found in its environment.
    pub(super) fn filled(&self, text: &str) -> String {
        let of = |name: &str| std::env::var(name).unwrap_or_default();
        let text = text.replace("{key}", &of("AUTODO_KEY")).replace("{ticket}", &of("AUTODO_TICKET"));
        text.replace("{run}", &of("AUTODO_RUN"))
    }

    fn autodo(&mut self, verb: &str, rest: &str, environment: &[(&str, &str)]) -> Result<(), Over> {
        let bin = std::env::var_os("AUTODO_BIN").ok_or_else(|| Err("AUTODO_BIN is not set".to_owned()))?;
        let arguments = shell_words::split(rest).map_err(|why| Err(format!("{rest:?}: {why}")))?;
        let mut command = Command::new(bin);
        command.arg(verb).args(arguments).envs(environment.iter().copied());
        self.command(&mut command, false);
        Ok(())
    }

    /// Runs a command to its end and records what became of it.
    fn command(&mut self, command: &mut Command, show: bool) {
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        self.draw();
        let (code, text) = match command.stdin(std::process::Stdio::null()).output() {
            Ok(output) => (output.status.code(), [output.stdout, output.stderr].concat()),
            Err(why) => (None, why.to_string().into_bytes()),
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        log::record(&json!({ "command": words, "code": code, "output": text }));
        if show {
            self.output.push_str(&text);
        }
    }
}

#[expect(unsafe_code, reason = "to be deaf to signals, or to die of one, is what the scenario asks for")]
fn dispose(which: Signal, how: SigHandler) {
    // SAFETY: neither to ignore a signal nor to restore its default installs a handler.
    // Ignored: SIGKILL has no other disposition than its own.
    unsafe { signal(which, how) }.ok();
}
