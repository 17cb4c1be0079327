//! From what was read to a profile that cannot fail later: expressions compiled, keys and names known, rules sound.

mod dialog;

use std::{collections::BTreeSet, ops::Range};

use regex::{Regex, RegexBuilder};
use toml::{Spanned, Value};

use super::{
    Arg, Conversation, Delivery, First, InputBox, Keystroke, Launch, LookFor, MarkerLine, Permissions, Profile,
    Program, Region, Rule,
    raw::{Raw, RawArg, RawBox, RawDelivery, RawLaunch, RawPermissions, RawProgram, RawRule, Text},
    records, setup,
};
use crate::{
    agent::placeholder::{BUILT_IN, Template},
    domain::{permission::Tools, screen::ScreenState},
};

/// A fault and its place in the text.
type Fault = (Range<usize>, String);
type Checked<T> = Result<T, Fault>;

fn program(raw: RawProgram) -> Program {
    Program { name: raw.name, version_argv: raw.version_argv, checked: raw.checked, otherwise: raw.otherwise }
}

/// Rows that a rule looks at unless it says otherwise.
const LAST_ROWS: usize = 24;
/// Memory one compiled expression may take.
const REGEX_SIZE: usize = 1 << 20;

pub(super) fn check(raw: Raw, origin: &str) -> Checked<Profile> {
    let options = options(&raw)?;
    let known = |name: &str| BUILT_IN.contains(&name) || options.contains_key(name);
    let launch = launch(raw.launch, &raw.name, raw.conversation, raw.delivery.first, &known)?;
    let resumable = raw.resumable.as_ref().is_some_and(|r| *r.get_ref());
    if let (true, None, Some(said), false) = (resumable, &launch.resume, &raw.resumable, launch.argv.is_empty()) {
        return Err((said.span(), "a resumable profile needs `launch.resume`".to_owned()));
    }
    let input_box = raw.input_box.map(input_box).transpose()?;
    let mut names = BTreeSet::new();
    let mut dialogs = Vec::new();
    for raw in raw.dialogs {
        unique(&mut names, &raw.name)?;
        dialogs.push(dialog::dialog(raw)?);
    }
    let mut screens = Vec::new();
    for raw in raw.screens {
        unique(&mut names, &raw.name)?;
        screens.push(rule(raw, input_box.is_some())?);
    }
    if !launch.argv.is_empty() {
        let missing = if input_box.is_none() {
            Some("a profile with an argv needs a [box]: prompts are pasted into it")
        } else if !screens.iter().any(|r| r.state == ScreenState::Ready) {
            Some("a profile with an argv needs a [[screens]] rule with the state \"ready\"")
        } else {
            None
        };
        if let Some(what) = missing {
            return Err((raw.name.span(), what.to_owned()));
        }
    }
    if raw.marker.indent > 8 {
        return Err((raw.name.span(), "marker.indent is at most 8".to_owned()));
    }
    Ok(Profile {
        description: raw.description,
        origin: origin.to_owned(),
        conversation: raw.conversation,
        feedback: raw.feedback,
        resumable,
        nudge: raw.nudge,
        needs_run_blocks: raw.needs_run_blocks,
        unverified: unverified(raw.unverified)?,
        exit: raw.exit.iter().map(key).collect::<Checked<_>>()?,
        options,
        launch,
        programs: raw.programs.into_iter().map(program).collect(),
        delivery: delivery(raw.delivery)?,
        input_box,
        dialogs,
        screens,
        permissions: permissions(raw.permissions),
        records: records::check(raw.records, &raw.name, raw.conversation)?,
        login: raw.login.map(setup::login).transpose()?,
        trust: raw.trust.as_ref().map(setup::trust).transpose()?,
        marker: MarkerLine { bullets: raw.marker.bullets, indent: raw.marker.indent },
        limits: raw.limits,
        name: raw.name.into_inner(),
    })
}

fn permissions(raw: RawPermissions) -> Permissions {
    let base = Tools::default();
    let tools = Tools {
        questions: raw.questions.unwrap_or(base.questions),
        command: raw.command.unwrap_or(base.command),
        path: raw.path.unwrap_or(base.path),
        beside: raw.beside.unwrap_or(base.beside),
    };
    Permissions { hook: raw.hook, tools }
}

/// Each is said in the middle of a line.
fn unverified(raw: Vec<Text>) -> Checked<Vec<String>> {
    let good = |text: &str| !text.trim().is_empty() && text.chars().count() <= 80 && !text.contains(char::is_control);
    match raw.iter().find(|text| !good(text.get_ref())) {
        Some(text) => fault(text, "`unverified` names each thing in one line of at most 80 characters"),
        None => Ok(raw.into_iter().map(toml::Spanned::into_inner).collect()),
    }
}

fn fault<T>(at: &Text, what: impl Into<String>) -> Checked<T> {
    Err((at.span(), what.into()))
}

fn unique(names: &mut BTreeSet<String>, name: &Text) -> Checked<()> {
    if name.get_ref().is_empty() {
        return fault(name, "a rule has a name");
    }
    if names.insert(name.get_ref().clone()) {
        return Ok(());
    }
    fault(name, format!("there is already a rule named {:?}", name.get_ref()))
}

fn options(raw: &Raw) -> Checked<std::collections::BTreeMap<String, String>> {
    let mut options = std::collections::BTreeMap::new();
    for (name, value) in &raw.options {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.get_ref().is_empty() || !name.get_ref().chars().all(good) {
            return fault(name, "an option's name holds lower-case letters, digits and '_'");
        }
        if BUILT_IN.contains(&name.get_ref().as_str()) {
            return fault(name, format!("{{{}}} is filled by autodo itself", name.get_ref()));
        }
        options.insert(name.get_ref().clone(), value.clone());
    }
    Ok(options)
}

fn launch(
    raw: RawLaunch,
    name: &Text,
    conversation: Conversation,
    first: First,
    known: &dyn Fn(&str) -> bool,
) -> Checked<Launch> {
    let argv = raw.argv.iter().map(|a| arg(a, known)).collect::<Checked<Vec<_>>>()?;
    let resume_at = raw.resume.as_ref().map(Spanned::span);
    let resume =
        raw.resume.map(|r| r.into_inner().iter().map(|a| arg(a, known)).collect::<Checked<Vec<_>>>()).transpose()?;
    let uses = |args: &[Arg], name: &str| args.iter().any(|a| a.parts.iter().any(|p| p.uses(name)));
    let resumed = resume.as_deref().unwrap_or_default();
    if let (Some(at), true) = (resume_at, resume.as_ref().is_some_and(Vec::is_empty) || uses(resumed, "prompt")) {
        let what = "launch.resume names a program, and holds no {prompt}: prompts after the first are pasted";
        return Err((at, what.to_owned()));
    }
    let program = raw.argv.first().map_or(name.span(), Spanned::span);
    if !argv.is_empty() {
        if uses(&argv, "prompt") != (first == First::Argument) {
            let what = "launch.argv holds {prompt} exactly where delivery.first = \"argument\"";
            return Err((program, what.to_owned()));
        }
        if conversation == Conversation::Chosen && !uses(&argv, "conversation") {
            return Err((program, "conversation = \"chosen\" needs {conversation} in launch.argv".to_owned()));
        }
    }
    if conversation != Conversation::Chosen && uses(&argv, "conversation") {
        return Err((program, "{conversation} in launch.argv needs conversation = \"chosen\"".to_owned()));
    }
    if conversation == Conversation::None && uses(resumed, "conversation") {
        let what = "{conversation} in launch.resume needs conversation = \"chosen\" or \"recorded\"";
        return Err((program, what.to_owned()));
    }
    let mut env = std::collections::BTreeMap::new();
    for (variable, value) in raw.env {
        let variable = own_variable(&variable)?;
        env.insert(variable, template(&value, known)?);
    }
    let unset = raw.unset.iter().map(own_variable).collect::<Checked<_>>()?;
    let require = raw.require.iter().map(self::variable).collect::<Checked<_>>()?;
    if raw.settings.is_none() && (uses(&argv, "settings") || uses(resume.as_deref().unwrap_or_default(), "settings")) {
        return Err((program, "{settings} in an argv needs a table [launch.settings]".to_owned()));
    }
    let settings = raw.settings.map(|table| serde_json::to_string_pretty(&table)).transpose();
    let settings = settings.map_err(|why| (program, format!("launch.settings cannot be written as JSON: {why}")))?;
    Ok(Launch { argv, resume, env, unset, require, settings })
}

fn arg(raw: &RawArg, known: &dyn Fn(&str) -> bool) -> Checked<Arg> {
    let part = |value: &Value| match value {
        Value::String(text) => Template::parse(text, known).map_err(|e| (raw.span(), e.to_string())),
        _ => Err((raw.span(), "an argument is a string, or an array of strings that belong together".to_owned())),
    };
    match raw.get_ref() {
        Value::Array(group) => Ok(Arg { parts: group.iter().map(part).collect::<Checked<_>>()?, optional: true }),
        one => Ok(Arg { parts: vec![part(one)?], optional: false }),
    }
}

fn template(text: &Text, known: &dyn Fn(&str) -> bool) -> Checked<Template> {
    Template::parse(text.get_ref(), known).map_err(|e| (text.span(), e.to_string()))
}

fn variable(name: &Text) -> Checked<String> {
    let text = name.get_ref();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(good) {
        return fault(name, "the name of an environment variable holds letters, digits and '_'");
    }
    Ok(text.clone())
}

/// A variable that a profile may change: not one that reports and the terminal server hang on.
fn own_variable(name: &Text) -> Checked<String> {
    let text = variable(name)?;
    if text.starts_with("AUTODO_") || text.starts_with("TMUX") {
        return fault(name, format!("{text} is set by autodo itself"));
    }
    Ok(text)
}

fn key(text: &Text) -> Checked<Keystroke> {
    Keystroke::parse(text.get_ref()).map_or_else(
        || fault(text, format!("a key is Enter, one ASCII character, or one of {}", Keystroke::NAMED.join(", "))),
        Ok,
    )
}

fn delivery(raw: RawDelivery) -> Checked<Delivery> {
    if let Some(prefix) = &raw.prefix {
        let word = prefix.get_ref();
        let good = word.len() <= 20 && word.chars().all(|c| c.is_ascii_alphanumeric());
        if !good || !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fault(prefix, "delivery.prefix is one word of at most 20 ASCII letters and digits");
        }
    }
    if let Some(disarm) = raw.disarm.as_ref().filter(|d| !d.get_ref().chars().all(|c| c.is_ascii_punctuation())) {
        return fault(disarm, "delivery.disarm holds ASCII punctuation only");
    }
    if let Some(delay) = raw.enter_delay_ms.as_ref().filter(|d| *d.get_ref() > 5000) {
        return Err((delay.span(), "delivery.enter_delay_ms is at most 5000".to_owned()));
    }
    Ok(Delivery {
        first: raw.first,
        prefix: raw.prefix.map_or_else(|| Delivery::default().prefix, Spanned::into_inner),
        disarm: raw.disarm.map_or_else(|| Delivery::default().disarm, Spanned::into_inner),
        queues_while_busy: raw.queues_while_busy,
        enter_delay_ms: raw.enter_delay_ms.map_or(0, Spanned::into_inner),
        hides: raw.hides,
    })
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            first: First::Paste,
            prefix: "Task".to_owned(),
            disarm: "!/".to_owned(),
            queues_while_busy: false,
            enter_delay_ms: 0,
            hides: Vec::new(),
        }
    }
}

/// Compiles an expression that says something: one that matches nothing at all would match every screen.
fn decisive(text: &Text) -> Checked<Regex> {
    let regex = compile(text)?;
    if regex.is_match("") {
        return fault(text, "the expression matches an empty text, so it would match every screen");
    }
    Ok(regex)
}

fn compile(text: &Text) -> Checked<Regex> {
    RegexBuilder::new(text.get_ref()).size_limit(REGEX_SIZE).build().map_err(|e| {
        let said = e.to_string();
        let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        (text.span(), format!("not a regular expression: {last}"))
    })
}

fn all(texts: &[Text], one: fn(&Text) -> Checked<Regex>) -> Checked<Vec<Regex>> {
    texts.iter().map(one).collect()
}

fn maybe(text: Option<&Text>, one: fn(&Text) -> Checked<Regex>) -> Checked<Option<Regex>> {
    text.map(one).transpose()
}

fn input_box(raw: RawBox) -> Checked<InputBox> {
    let line = decisive(&raw.line)?;
    if line.captures_len() < 2 {
        return fault(&raw.line, "box.line needs a group for the content");
    }
    let max_rows = raw.max_rows.unwrap_or(60);
    if max_rows == 0 || max_rows > 500 || raw.footer_rows > 50 {
        return fault(&raw.line, "box.max_rows is 1 to 500, box.footer_rows at most 50");
    }
    Ok(InputBox {
        line,
        continuation: maybe(raw.continuation.as_ref(), compile)?,
        above: maybe(raw.above.as_ref(), decisive)?,
        below: maybe(raw.below.as_ref(), decisive)?,
        footer_rows: raw.footer_rows,
        max_rows,
        cursor: raw.cursor,
        trim: raw.trim,
        empty: all(&raw.empty, decisive)?,
        pasted: all(&raw.pasted, decisive)?,
    })
}

fn rows(said: Option<Spanned<usize>>) -> Checked<usize> {
    match said {
        None => Ok(LAST_ROWS),
        Some(n) if (1..=500).contains(n.get_ref()) => Ok(n.into_inner()),
        Some(n) => Err((n.span(), "last_rows is 1 to 500".to_owned())),
    }
}

fn rule(raw: RawRule, has_box: bool) -> Checked<Rule> {
    let state = *raw.state.get_ref();
    let wrong = match state {
        ScreenState::Unknown => Some("unknown is what no rule says"),
        ScreenState::Dialog => Some("a dialog stands under [[dialogs]], with its answer"),
        _ => None,
    };
    if let Some(what) = wrong {
        return Err((raw.state.span(), what.to_owned()));
    }
    let region = raw.region.as_ref().map_or(Region::Screen, |r| *r.get_ref());
    if !has_box {
        let spans = [raw.when.as_ref().map(Spanned::span), raw.region.as_ref().map(Spanned::span)];
        if let Some(at) = spans.into_iter().flatten().next().filter(|_| raw.when.is_some() || region != Region::Screen)
        {
            return Err((at, "this profile has no [box]".to_owned()));
        }
    }
    if raw.pattern.is_none() && raw.title.is_none() && raw.cursor_row.is_none() && raw.when.is_none() {
        return fault(&raw.name, "a rule has at least one of pattern, title, cursor_row and box");
    }
    let look = LookFor {
        pattern: maybe(raw.pattern.as_ref(), decisive)?,
        title: maybe(raw.title.as_ref(), decisive)?,
        cursor_row: maybe(raw.cursor_row.as_ref(), decisive)?,
        when: raw.when.map(Spanned::into_inner),
        not: all(&raw.not, decisive)?,
        last_rows: rows(raw.last_rows)?,
        region,
        text: maybe(raw.text.as_ref(), decisive)?,
        strip: maybe(raw.strip.as_ref(), compile)?,
    };
    Ok(Rule { name: raw.name.into_inner(), state, look })
}
