//! What must hold in a pane at the moment of an act, as a format that the server evaluates in the same step.
//!
//! Formats know no quoting that holds for every text: `#`, `,`, `}`, `:` and `;` each mean something somewhere. So no
//! text is ever written into one. The texts to look for go into options of the pane first (an option's value is not
//! expanded again), and the format only names these options. The search (`#{C:…}`) is a shell pattern, so `*`, `?`, `[`
//! and `\` get a backslash. It looks at the rows of the visible screen, one by one: a text that wraps is on none.

use tmux_interface::{DisplayMessage, IfShell, SetOption};

use super::{
    client::Client,
    command::{Cmd, body},
    error::{Fault, fault},
    server,
};
use crate::{
    domain::id::PaneId,
    format::tmux::ServerMark,
    ports::terminal::{Guard, TerminalError},
};

/// True where the server's `variable` is `value`. A value that could mean something in a format is never equal.
pub(super) fn equals(variable: &str, value: &str) -> String {
    let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-%@".contains(&b));
    if is_plain { format!("#{{==:#{{{variable}}},{value}}}") } else { "0".to_owned() }
}

/// True where `condition` is not.
pub(super) fn not(condition: &str) -> String {
    format!("#{{?{condition},0,1}}")
}

/// True where all `conditions` are.
pub(super) fn all_of(conditions: &[String]) -> String {
    conditions.iter().rev().fold("1".to_owned(), |rest, one| format!("#{{?{one},{rest},0}}"))
}

/// What a guarded act came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All held, and the commands were carried out.
    Done,
    /// Something did not hold: nothing was done. In words.
    Refused(String),
}

/// Carries `commands` out on `pane` if it lives, is in no mode, takes input, belongs to `server` and `guard` holds.
///
/// tmux runs the check and the commands without looking at any pane or client in between. Each branch prints a line of
/// its own, so that an answer without one is an error and never taken for either.
///
/// # Errors
/// `NoTarget` if the pane is gone or dead, `NoServer` if it belonged to a server that is gone.
pub(super) async fn act(
    client: &Client,
    pane: &PaneId,
    server: Option<ServerMark>,
    guard: &Guard,
    commands: &[Cmd],
    nonce: &str,
) -> Result<Outcome, TerminalError> {
    let id = pane.as_str();
    let mut conditions = alive(id, server);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let shown = guard.shows.iter().map(|text| (text, true));
    for (number, (text, must_show)) in shown.chain(guard.hides.iter().map(|text| (text, false))).enumerate() {
        check_text(text)?;
        let option = format!("@autodo_guard_{nonce}_{number}");
        let set = SetOption::new().pane().target_pane(id).option(option.as_str()).value(pattern(text)).build();
        let unset = SetOption::new().pane().quiet().unset().target_pane(id).option(option.as_str()).build();
        before.push(Cmd::of(&set));
        after.push(Cmd::of(&unset));
        let found = format!("#{{C:#{{{option}}}}}");
        conditions.push(if must_show { found } else { not(&found) });
    }
    let say = |text: String| Cmd::of(&DisplayMessage::new().print().target_pane(id).message(text).build());
    let mut act = commands.to_vec();
    act.push(say(format!("{nonce}|done")));
    let state = "#{pane_id}|#{pane_dead}|#{pane_in_mode}|#{pane_input_off}|#{pid}|#{start_time}";
    let refuse = [say(format!("{nonce}|refused|{state}"))];
    let check = IfShell::new().not_execute().target_pane(id).shell_command(all_of(&conditions)).command(body(&act));
    before.push(Cmd::of(&check.build()).arg(body(&refuse)));
    before.append(&mut after);
    let answer = server::ask(client, &before).await?;
    read(&String::from_utf8_lossy(&answer.stdout), &answer.stderr, pane, server, nonce)
}

fn alive(pane: &str, server: Option<ServerMark>) -> Vec<String> {
    let mut all =
        vec![equals("pane_id", pane), equals("pane_dead", "0"), not("#{pane_in_mode}"), not("#{pane_input_off}")];
    if let Some(server) = server {
        all.push(equals("pid", &server.pid.to_string()));
        all.push(equals("start_time", &server.started_s.to_string()));
    }
    all
}

/// A text that can't be on one row would never be found: harmless where it must show, fatal where it must not.
fn check_text(text: &str) -> Result<(), TerminalError> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(TerminalError::Other(format!("no row of a screen can be checked for {text:?}")));
    }
    Ok(())
}

/// `text` as a shell pattern that matches it alone (tmux puts a `*` on both sides).
fn pattern(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut all, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            all.push('\\');
        }
        all.push(c);
        all
    })
}

fn read(
    stdout: &str,
    stderr: &str,
    pane: &PaneId,
    server: Option<ServerMark>,
    nonce: &str,
) -> Result<Outcome, TerminalError> {
    let mine = |line: &str| line.strip_prefix(nonce).and_then(|rest| rest.strip_prefix('|')).map(str::to_owned);
    let Some(said) = stdout.lines().find_map(mine) else {
        return Err(match fault(stderr) {
            Fault::Other(text) if text.is_empty() => {
                TerminalError::Other(format!("no answer about the pane {pane}: whether anything was sent is unknown"))
            }
            fault => fault.into(),
        });
    };
    if said == "done" {
        return Ok(Outcome::Done);
    }
    let fields: Vec<&str> = said.split('|').collect();
    let ["refused", seen, dead, in_mode, input_off, pid, started] = fields[..] else {
        return Err(TerminalError::Other(format!("cannot read the answer {said:?}")));
    };
    if seen != pane.as_str() {
        return Err(TerminalError::NoTarget(format!("the pane {pane} is gone")));
    }
    if let Some(server) = server
        && (pid, started) != (server.pid.to_string().as_str(), server.started_s.to_string().as_str())
    {
        return Err(TerminalError::NoServer(format!(
            "the pane {pane} was on a server that is gone (pid {})",
            server.pid
        )));
    }
    let why = [(dead, "its program has ended"), (in_mode, "it is in a mode"), (input_off, "its input is off")];
    let why = why.into_iter().find(|(flag, _)| *flag != "0").map_or("its screen is not as it must be", |(_, why)| why);
    Ok(Outcome::Refused(format!("the pane {pane}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_no_text_that_means_something() {
        assert_eq!(equals("@autodo_ticket", "T-1.x_y"), "#{==:#{@autodo_ticket},T-1.x_y}");
        for odd in ["a,b", "a}", "#{pid}", "a:b", "a b", "é"] {
            assert_eq!(equals("x", odd), "0", "{odd}");
        }
        assert_eq!(all_of(&["a".to_owned(), "b".to_owned()]), "#{?a,#{?b,1,0},0}");
    }

    #[test]
    fn an_answer_that_is_neither_branch_is_an_error() {
        let pane = PaneId::parse("%5").unwrap();
        let mark = Some(ServerMark { pid: 9, started_s: 8 });
        let read = |out: &str, err: &str| read(out, err, &pane, mark, "n");
        assert_eq!(read("n|done\n", "").unwrap(), Outcome::Done);
        assert!(matches!(read("n|refused|%5|0|1|0|9|8\n", "").unwrap(), Outcome::Refused(why) if why.contains("mode")));
        assert!(matches!(read("n|refused|%5|0|0|0|7|8\n", ""), Err(TerminalError::NoServer(_))));
        assert!(matches!(read("n|refused||||||\n", ""), Err(TerminalError::NoTarget(_))));
        assert!(matches!(read("", "no such pane: %5"), Err(TerminalError::NoTarget(_))));
        for odd in ["", "done\n", "n|dune\n", "x|done\n"] {
            assert!(matches!(read(odd, ""), Err(TerminalError::Other(_))), "{odd}");
        }
    }
}
