//! Holds JSON against a JSON schema: the part of draft 2020-12 that `docs/reference/schemas` is written in. A keyword
//! that is not known here is an error, so that no schema asks for something nobody looks at.

use serde_json::{Map, Value};

/// Keywords that say nothing about a value.
const SAID: &[&str] = &["$schema", "$id", "$defs", "title", "description"];

/// What in `value` is not as `schema` has it, each with its place; empty: all is.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Reader { root: schema, faults: &mut faults }.check(schema, value, "");
    faults
}

struct Reader<'a> {
    root: &'a Value,
    faults: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: &str, what: &str) {
        self.faults.push(format!("{}: {what}", if at.is_empty() { "/" } else { at }));
    }

    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let Value::Object(keywords) = schema else { panic!("no schema: {schema}") };
        for (keyword, wanted) in keywords {
            match keyword.as_str() {
                word if SAID.contains(&word) => {}
                "type" => {
                    let words: Vec<&str> = match wanted {
                        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                        one => one.as_str().into_iter().collect(),
                    };
                    assert!(!words.is_empty(), "no type: {wanted}");
                    if !words.iter().any(|word| is_of(word, value)) {
                        self.wrong(at, &format!("{value} is no {}", words.join(" or ")));
                    }
                }
                "const" if value != wanted => self.wrong(at, &format!("{value} is not {wanted}")),
                "enum" if !wanted.as_array().unwrap().contains(value) => {
                    self.wrong(at, &format!("{value} is none of {wanted}"));
                }
                "const" | "enum" => {}
                "required" => {
                    let Value::Object(fields) = value else { continue };
                    for name in wanted.as_array().unwrap().iter().filter_map(Value::as_str) {
                        if !fields.contains_key(name) {
                            self.wrong(at, &format!("{name} is missing"));
                        }
                    }
                }
                "properties" => self.fields(wanted.as_object().unwrap(), value, at),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}/{index}"));
                    }
                }
                "anyOf" => {
                    let all = wanted.as_array().unwrap();
                    let of = |schema: &Value| {
                        let mut faults = Vec::new();
                        Reader { root: self.root, faults: &mut faults }.check(schema, value, at);
                        faults
                    };
                    let each: Vec<Vec<String>> = all.iter().map(of).collect();
                    if each.iter().all(|faults| !faults.is_empty()) {
                        self.faults.extend(each.into_iter().next().unwrap());
                    }
                }
                "$ref" => {
                    let place = wanted.as_str().and_then(|r| r.strip_prefix('#')).expect("a place in this schema");
                    let schema = self.root.pointer(place).unwrap_or_else(|| panic!("there is no {wanted}"));
                    self.check(schema, value, at);
                }
                other => panic!("the keyword {other} is not known here"),
            }
        }
    }

    fn fields(&mut self, wanted: &Map<String, Value>, value: &Value, at: &str) {
        for (name, schema) in wanted {
            if let Some(field) = value.get(name) {
                self.check(schema, field, &format!("{at}/{name}"));
            }
        }
    }
}

fn is_of(word: &str, value: &Value) -> bool {
    match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    }
}
