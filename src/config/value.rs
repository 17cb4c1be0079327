//! What a setting can hold, and how it is read from a variable or a flag.

use std::{fmt, ops::Range, path::PathBuf};

use toml::de::DeValue;

use crate::{
    domain::{permission::Rule, usage::MicroUsd},
    format::money,
};

/// A span of time in whole seconds, written `90s`, `15m` (or `15min`), `2h`, `1d`, several of these (`1h30m`), or as a
/// bare number of seconds, as in tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

/// The units of a span, longest first, with their seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Seconds {
    /// The longest span a setting takes: ten years of 366 days, so that no sum of times overflows.
    pub const LONGEST: u64 = 10 * 366 * 86_400;

    /// Reads a span. Units must fall from days to seconds, each at most once; spaces between them are allowed.
    /// `None` where `text` is not a span, or too long for 64 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let mut total: u64 = 0;
        let mut allowed = &UNITS[..];
        if rest.is_empty() {
            return None;
        }
        if rest.bytes().all(|b| b.is_ascii_digit()) {
            return rest.parse().ok().map(Self);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest.get(..digits)?.parse().ok()?;
            let unit = rest.get(digits..)?.chars().next()?;
            let at = allowed.iter().position(|(c, _)| *c == unit)?;
            let (_, seconds) = allowed.get(at)?;
            total = total.checked_add(number.checked_mul(*seconds)?)?;
            allowed = allowed.get(at + 1..)?;
            let unit_len = if rest.get(digits..)?.starts_with("min") { 3 } else { 1 };
            rest = rest.get(digits + unit_len..)?.trim_start();
        }
        Some(Self(total))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut left = self.0;
        for (unit, seconds) in UNITS {
            if left >= seconds {
                write!(f, "{}{unit}", left / seconds)?;
                left %= seconds;
            }
        }
        Ok(())
    }
}

/// Which sort of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of text, not empty.
    Text,
    /// A path, absolute or relative to the checkout.
    Path,
    /// A whole number within bounds.
    Number {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// A span of time within bounds, in seconds.
    Span {
        /// Shortest.
        min: u64,
        /// Longest.
        max: u64,
    },
    /// A sum of money in US dollars, more than nothing.
    Usd,
    /// Yes or no.
    Switch,
    /// A list of texts, none of them empty.
    List,
    /// A list of rules for permissions.
    Rules,
}

impl Kind {
    /// What is expected, for messages and the reference.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Number { min, max: u32::MAX } => format!("a whole number from {min}"),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Span { min, max: Seconds::LONGEST } => {
                format!("a span of time such as \"90s\" or \"1h30m\", from {}", Seconds(min))
            }
            Self::Span { min, max } => {
                format!("a span of time such as \"90s\", from {} to {}", Seconds(min), Seconds(max))
            }
            Self::Usd => "a sum of US dollars such as 5 or \"2.50\"".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Rules => "a list of rules such as \"allow Bash cargo test\"".to_owned(),
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Rules)
    }

    /// A list whose every text says something.
    fn checked_list(self, texts: Vec<String>) -> Result<Value, String> {
        if texts.iter().any(|t| t.trim().is_empty() || t.contains('\0')) {
            return Err("expected a list of texts, found an empty one in it".to_owned());
        }
        if let (Self::Rules, Some(error)) = (self, texts.iter().find_map(|text| Rule::parse(text).err())) {
            return Err(error.to_string());
        }
        Ok(Value::List(texts))
    }

    /// Where in a TOML value the first text stands that is no rule; `None`: there is none, or it is another kind.
    pub(super) fn first_wrong(self, value: &DeValue<'_>) -> Option<Range<usize>> {
        let items = value.as_array().filter(|_| self == Self::Rules)?;
        let is_wrong = |text: Option<&str>| text.is_none_or(|text| Rule::parse(text).is_err());
        items.iter().find(|item| is_wrong(item.get_ref().as_str())).map(toml::Spanned::span)
    }

    /// Reads a TOML value; the error says what was expected and what was found.
    pub(super) fn of_toml(self, value: &DeValue<'_>) -> Result<Value, String> {
        let found = match value {
            DeValue::Boolean(yes) if self == Self::Switch => return Ok(Value::Switch(*yes)),
            DeValue::String(text) if !self.is_list() && !matches!(self, Self::Number { .. } | Self::Switch) => {
                return self.of_word(text);
            }
            DeValue::Integer(number) if matches!(self, Self::Number { .. } | Self::Span { .. } | Self::Usd) => {
                return self.of_word(&plain_integer(number.as_str(), number.radix()));
            }
            DeValue::Array(items) if self.is_list() => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|i| i.get_ref().as_str().map(str::to_owned)).collect();
                return match texts {
                    Some(texts) => self.checked_list(texts),
                    None => Err("expected a list of texts, found something else in the list".to_owned()),
                };
            }
            DeValue::Float(number) if self == Self::Usd => return self.of_word(number.as_str()),
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        Err(format!("expected {}, found {found}", self.expected()))
    }

    /// Reads the text of a variable or a flag. For a list: TOML where it begins as a TOML list of texts does (`["`,
    /// `['`, `[]`), nothing for an empty text, and otherwise one element.
    pub(super) fn of_word(self, text: &str) -> Result<Value, String> {
        let wrong = || format!("expected {}, found {text:?}", self.expected());
        match self {
            Self::Text if text.trim().is_empty() => Err("expected a text, found nothing".to_owned()),
            Self::Text if text.contains(['\n', '\r', '\0']) => Err("expected a text of one line".to_owned()),
            Self::Text => Ok(Value::Text(text.to_owned())),
            Self::Path if text.trim().is_empty() || text.contains('\0') => Err(wrong()),
            Self::Path if text == "~" || text.starts_with("~/") => {
                Err("\"~\" is not expanded here: write the whole path, or one relative to the checkout".to_owned())
            }
            Self::Path => Ok(Value::Path(PathBuf::from(text))),
            Self::Switch => text.trim().parse().map(Value::Switch).map_err(|_| wrong()),
            Self::Number { min, max } => match text.trim().parse::<u32>() {
                Ok(n) if (min..=max).contains(&n) => Ok(Value::Number(n)),
                Ok(_) | Err(_) => Err(wrong()),
            },
            Self::Span { min, max } => match Seconds::parse(text) {
                Some(span) if (min..=max).contains(&span.0) => Ok(Value::Span(span)),
                Some(_) | None => Err(wrong()),
            },
            Self::Usd => {
                money::parse_usd(text).map(Value::Usd).map_err(|why| format!("expected {}: {why}", self.expected()))
            }
            Self::List | Self::Rules => {
                let trimmed = text.trim();
                if trimmed.is_empty() {
                    return Ok(Value::List(Vec::new()));
                }
                let inner = trimmed.strip_prefix('[').map(str::trim_start);
                if !inner.is_some_and(|i| i.starts_with(['"', '\'', ']'])) {
                    return self.checked_list(vec![text.to_owned()]);
                }
                match DeValue::parse(trimmed) {
                    Ok(value) => self.of_toml(value.get_ref()),
                    Err(error) => Err(format!("expected a list of texts, found {text:?} ({})", error.message())),
                }
            }
        }
    }
}

/// A TOML integer in any base as decimal digits, or as written where it does not fit.
fn plain_integer(text: &str, radix: u32) -> String {
    i128::from_str_radix(text, radix).map_or_else(|_| text.to_owned(), |n| n.to_string())
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nobody has said.
    Unset,
    /// A line of text.
    Text(String),
    /// A path.
    Path(PathBuf),
    /// A whole number.
    Number(u32),
    /// A span of time.
    Span(Seconds),
    /// A sum of money.
    Usd(MicroUsd),
    /// Yes or no.
    Switch(bool),
    /// Texts in order.
    List(Vec<String>),
}

impl fmt::Display for Value {
    /// As TOML writes it; an unset value is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => Ok(()),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Path(path) => f.write_str(&quoted(&path.to_string_lossy())),
            Self::Number(number) => write!(f, "{number}"),
            Self::Switch(yes) => write!(f, "{yes}"),
            Self::Span(span) => f.write_str(&quoted(&span.to_string())),
            Self::Usd(sum) => f.write_str(&quoted(&money::exact(*sum))),
            Self::List(texts) => {
                let texts: Vec<String> = texts.iter().map(|t| quoted(t)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}

/// A text as TOML writes it, in one line.
pub(super) fn quoted(text: &str) -> String {
    let mut all = String::with_capacity(text.len() + 2);
    all.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => all.extend(['\\', c]),
            '\n' => all.push_str("\\n"),
            '\r' => all.push_str("\\r"),
            '\t' => all.push_str("\\t"),
            c if c.is_control() => all.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => all.push(c),
        }
    }
    all.push('"');
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7200),
            ("1h30m", 5400),
            (" 1d 2h ", 93_600),
            ("5min", 300),
            ("0", 0),
            ("45", 45),
        ] {
            assert_eq!(Seconds::parse(text), Some(Seconds(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "5x",
            "5mi",
            "5 5",
            "-1s",
            "1.5h",
            "1m1h",
            "1h1h",
            "2 h",
            "99999999999999999999s",
            "99999999999999999d",
        ] {
            assert_eq!(Seconds::parse(text), None, "{text}");
        }
        for seconds in [0, 1, 59, 60, 3600, 5400, 93_784] {
            assert_eq!(Seconds::parse(&Seconds(seconds).to_string()), Some(Seconds(seconds)));
        }
    }

    #[test]
    fn a_list_in_a_variable_is_toml_or_one_command() {
        let list = |text: &str| Kind::List.of_word(text);
        let of = |texts: &[&str]| Ok(Value::List(texts.iter().map(|t| (*t).to_owned()).collect()));
        assert_eq!(list("cargo test"), of(&["cargo test"]));
        assert_eq!(list("[ -f Cargo.toml ]"), of(&["[ -f Cargo.toml ]"]));
        assert_eq!(list(r#"["a b", 'c']"#), of(&["a b", "c"]));
        assert_eq!(list(""), of(&[]));
        assert_eq!(list("[]"), of(&[]));
        assert!(list(r#"["a", 3]"#).is_err());
        assert!(list(r#"["a""#).is_err());
    }

    #[test]
    fn values_print_as_toml_that_reads_back() {
        for text in ["plain", "quo\"te \\ back", "tab\tnew\nline", "\u{1b}[0m", "\u{7f}"] {
            let printed = Value::List(vec![text.to_owned()]).to_string();
            let back = DeValue::parse(&printed).unwrap();
            assert_eq!(Kind::List.of_toml(back.get_ref()), Ok(Value::List(vec![text.to_owned()])), "{printed}");
        }
    }
}
