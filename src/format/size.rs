//! Sizes of files, as people write and read them: in powers of 1024.

use thiserror::Error;

/// Letters and what they stand for, the largest first.
const UNITS: [(char, u64); 4] = [('T', 1 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

/// A text that is no size.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no size: say 500M, 2G or 1.5GiB")]
pub struct NotASize(pub String);

/// Reads a size in bytes: `500M`, `2G`, `1.5GiB`, `800 kB`, or a bare number of bytes.
///
/// # Errors
/// [`NotASize`].
pub fn parse_size(text: &str) -> Result<u64, NotASize> {
    let wrong = || NotASize(text.to_owned());
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (amount, unit) = upper.split_at(digits);
    let unit = unit.trim_start();
    let letter = unit.strip_suffix("IB").or_else(|| unit.strip_suffix('B')).unwrap_or(unit);
    let factor = match letter {
        "" if !unit.starts_with("IB") => 1,
        _ => UNITS.iter().find(|(name, _)| letter.chars().eq([*name])).map(|(_, bytes)| *bytes).ok_or_else(wrong)?,
    };
    let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
    // Three places are more than anybody means, and all is in whole numbers.
    let thousandths: u64 = format!("{part:0<3}").get(..3).and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let fraction = (factor / 1000).checked_mul(thousandths).ok_or_else(wrong)?;
    whole.checked_mul(factor).and_then(|bytes| bytes.checked_add(fraction)).ok_or_else(wrong)
}

/// A size for people: `812 B`, `1.5 MiB`.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((name, unit)) => {
            let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
            format!("{whole}.{tenths} {name}iB")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("812", 812),
            ("812B", 812),
            ("1k", 1024),
            ("500M", 500 << 20),
            ("2 GiB", 2 << 30),
            ("2gb", 2 << 30),
            ("1.5K", 1024 + 500),
            ("3T", 3 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "x", "1.2.3", "-1", "1X", "1iB", "1 G 2", "99999999999T", ".5G"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_with_one_place() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 << 10, "1.5 MiB"), (9 << 40, "9.0 TiB")]
        {
            assert_eq!(human_size(bytes), text);
        }
    }
}
