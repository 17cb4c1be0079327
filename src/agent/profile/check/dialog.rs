//! Checks the dialogs of a profile: how each is known, and how it is answered.

use super::{
    super::{
        Dialog, Keystroke, LookFor, OptionsLook, Policy, Region, RequestLook,
        raw::{RawDialog, RawOptions, RawRequest},
    },
    Checked, all, compile, decisive, fault, key, maybe, rows,
};
use crate::domain::screen::ScreenState;

fn options(raw: &RawOptions) -> Checked<OptionsLook> {
    let row = decisive(&raw.row)?;
    if row.captures_len() < 3 {
        return fault(&raw.row, "options.row needs a group for the key and one for what the option says");
    }
    Ok(OptionsLook { row, except: maybe(raw.except.as_ref(), decisive)? })
}

fn request(raw: &RawRequest, asks: ScreenState) -> Checked<RequestLook> {
    if asks != ScreenState::Permission {
        return fault(&raw.tool, "only a dialog of the state \"permission\" has a request");
    }
    let command = decisive(&raw.command)?;
    if command.captures_len() < 2 {
        return fault(&raw.command, "request.command needs a group for the command");
    }
    Ok(RequestLook { tool: raw.tool.get_ref().clone(), command })
}

pub(super) fn dialog(raw: RawDialog) -> Checked<Dialog> {
    let policy = *raw.policy.get_ref();
    let asks = raw.state.as_ref().map_or(ScreenState::Question, |s| *s.get_ref());
    let person = [ScreenState::Question, ScreenState::Permission, ScreenState::Limited, ScreenState::LoggedOut];
    if let Some(at) = raw.state.as_ref().filter(|_| !person.contains(&asks)) {
        return Err((
            at.span(),
            "a dialog that a person answers is question, permission, limited or logged_out".into(),
        ));
    }
    let answer = raw.answer.iter().map(key).collect::<Checked<Vec<_>>>()?;
    let plain = |k: &Keystroke| matches!(k, Keystroke::Enter | Keystroke::Char(_));
    if policy == Policy::Answer {
        if answer.is_empty() || !answer.iter().all(plain) {
            let what = "policy = \"answer\" needs an `answer` of digits, letters and Enter, never arrows";
            return Err((raw.policy.span(), what.to_owned()));
        }
        if answer.first() == Some(&Keystroke::Enter) && raw.selected.is_none() {
            let what = "an answer that begins with Enter takes what is selected: say it in `selected`";
            return Err((raw.policy.span(), what.to_owned()));
        }
    }
    let mut choices = std::collections::BTreeMap::new();
    for (name, keys) in &raw.choices {
        choices.insert(name.clone(), keys.iter().map(key).collect::<Checked<Vec<_>>>()?);
    }
    let options = raw.options.as_ref().map(options).transpose()?;
    let words = raw.words.iter().map(key).collect::<Checked<Vec<_>>>()?;
    if let Some(first) = raw.words.first().filter(|_| asks != ScreenState::Question) {
        return fault(first, "only a dialog of the state \"question\" is closed for words");
    }
    let request = raw.request.as_ref().map(|raw| request(raw, asks)).transpose()?;
    let look = LookFor {
        pattern: Some(decisive(&raw.pattern)?),
        title: None,
        cursor_row: None,
        when: None,
        not: all(&raw.not, decisive)?,
        last_rows: rows(raw.last_rows)?,
        region: Region::Screen,
        text: maybe(raw.text.as_ref(), decisive)?,
        strip: maybe(raw.strip.as_ref(), compile)?,
    };
    let selected = maybe(raw.selected.as_ref(), decisive)?;
    Ok(Dialog { name: raw.name.into_inner(), asks, look, policy, selected, answer, choices, options, words, request })
}
