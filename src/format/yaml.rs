//! YAML, read into a tree that knows where each value stands, or into a type; and written, one key a line.
//!
//! The only file that knows the YAML crate. Reading never panics and is bounded (depth, anchors, size) by the crate's
//! budget; `yes` and `no` are text, as YAML 1.2 has it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};
use serde_saphyr::{
    DoubleQuoted, DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Options, Spanned, options::AliasLimits,
};

use super::problem::Place;

/// What cannot be read, and where. Places count from the first line of the YAML text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Where; [`Place::FILE`] where the crate does not say.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; line 1 is the first of the YAML text.
    pub place: Place,
}

/// A YAML value. Numbers keep their spelling, so that `007` or `1.10` can be taken as text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as spelt.
    Number(String),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in order; a key may occur twice.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, in words for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// True if both say the same, wherever they stand.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_the_same(b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0.says_the_same(&b.0) && a.1.says_the_same(&b.1))
            }
            (Value::Number(a), Value::Number(b)) => {
                a == b || whole(a).map_or_else(|| a.parse::<f64>().ok() == b.parse().ok(), |n| whole(b) == Some(n))
            }
            (a, b) => a == b,
        }
    }

    /// The value as text, where it is a scalar that was written plainly or quoted.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
}

fn options() -> Options {
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 10_000;
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        with_snippet: false,
        alias_limits: aliases,
    }
}

/// Reads YAML into a tree.
///
/// # Errors
/// [`YamlError`] with the place of what is not YAML.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    if text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) {
        return Ok(Node { value: Value::Null, place: Place::FILE });
    }
    let mut node: Node = serde_saphyr::from_str_with_options(text, options()).map_err(|e| told(&e))?;
    spell(&mut node, text);
    Ok(node)
}

/// Reads YAML into a type.
///
/// # Errors
/// [`YamlError`] with the place of what is not YAML, or not of that type.
pub fn typed<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| told(&e))
}

/// Writes a value as block YAML; text is never folded over lines, so one key of text is one line.
///
/// # Errors
/// Whatever the value's own serialisation refuses, such as a path that is not UTF-8.
pub fn write<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|e| YamlError { place: Place::FILE, message: e.to_string() })
}

/// Text that is always written between double quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted(pub String);

impl Serialize for Quoted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DoubleQuoted(self.0.as_str()).serialize(serializer)
    }
}

/// A whole number as YAML 1.2 spells it.
fn whole(spelling: &str) -> Option<i128> {
    let (sign, digits) = match spelling.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, spelling.strip_prefix('+').unwrap_or(spelling)),
    };
    let radix = |prefix: &str, radix| digits.strip_prefix(prefix).map(|d| i128::from_str_radix(d, radix));
    let number =
        radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)).unwrap_or_else(|| digits.parse());
    // Ignored: what is no whole number, or none that fits, is left to the caller.
    number.ok().map(|n| sign * n)
}

fn told(error: &serde_saphyr::DeserializeError) -> YamlError {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let place = error.location().map_or(Place::FILE, |at| Place {
        line: number(at.line()),
        column: number(at.column()),
        len: 1,
    });
    let formatter = serde_saphyr::UserMessageFormatter;
    let whole = error.without_snippet().render_with_formatter(&formatter);
    let message = whole.lines().next().unwrap_or("not YAML");
    // The place is said beside the message, so the crate's own tail is cut.
    let message = message.rfind(" at line ").map_or(message, |at| &message[..at]);
    YamlError { place, message: message.to_owned() }
}

/// Puts the spelling of plain numbers back, which inference has lost.
fn spell(node: &mut Node, text: &str) {
    match &mut node.value {
        Value::Number(spelling) => {
            if let Some(line) = text.split('\n').nth(node.place.line.wrapping_sub(1)) {
                let written: String =
                    line.chars().skip(node.place.column.saturating_sub(1)).take(node.place.len).collect();
                if !written.trim().is_empty() {
                    *spelling = written.trim().to_owned();
                }
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| spell(item, text)),
        Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            spell(key, text);
            spell(value, text);
        }),
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let at = spanned.defined;
        let place = Place { line: number(at.line()), column: number(at.column()), len: number(at.span().len()) };
        Ok(Self { value: spanned.value, place })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Text(String::from_utf8_lossy(value).into_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<Node, Node>()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(spelling) => match (whole(spelling), spelling.parse::<f64>()) {
                (Some(number), _) => serializer.serialize_i128(number),
                (None, Ok(number)) => serializer.serialize_f64(number),
                (None, Err(_)) => serializer.serialize_str(spelling),
            },
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests;
