//! Sums of money as people write them, in US dollars.

use crate::domain::usage::MicroUsd;

/// Largest sum that is read: a million dollars.
const LARGEST: MicroUsd = 1_000_000_000_000;

/// Reads `5`, `0.50`, `$12.5`: a sum above nothing, with at most six decimals.
///
/// # Errors
/// What is wrong with it.
pub fn parse_usd(text: &str) -> Result<MicroUsd, String> {
    let wrong = || format!("{text:?} is no sum of US dollars");
    let digits = text.trim();
    let digits = digits.strip_prefix('$').unwrap_or(digits);
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(cents) || (digits.contains('.') && cents.is_empty()) {
        return Err(wrong());
    }
    if cents.len() > 6 {
        return Err(format!("{text:?} has more than six decimals"));
    }
    // Ignored: what does not fit is far above the largest.
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1_000_000)).unwrap_or(u64::MAX);
    let cents = format!("{cents:0<6}").parse::<u64>().map_err(|_| wrong())?;
    match whole.saturating_add(cents) {
        0 => Err(format!("{text:?}: a budget is more than nothing")),
        sum if sum > LARGEST => Err(format!("{text:?} is more than a million US dollars")),
        sum => Ok(sum),
    }
}

/// A sum as [`parse_usd`] reads it back exactly.
#[must_use]
pub fn exact(micro: MicroUsd) -> String {
    let (whole, rest) = (micro / 1_000_000, micro % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    let cents = format!("{rest:06}");
    let cents = cents.trim_end_matches('0');
    format!("{whole}.{cents:0<2}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_are_read_as_people_write_them() {
        for (text, sum) in [("5", 5_000_000), ("0.50", 500_000), ("$12.5", 12_500_000), (" 3.000001 ", 3_000_001)] {
            assert_eq!(parse_usd(text), Ok(sum), "{text}");
        }
        for text in ["", "$", "-1", "0", "0.00", "1.", ".5", "1,5", "1e3", "NaN", "1.0000001", "1000000.01", "5 USD"] {
            assert!(parse_usd(text).is_err(), "{text}");
        }
        assert_eq!((exact(5_000_000), exact(500_000)), ("5".into(), "0.50".into()));
    }

    proptest! {
        #[test]
        fn a_sum_reads_back_and_no_text_panics(sum in 1..=LARGEST, text in any::<String>()) {
            prop_assert_eq!(parse_usd(&exact(sum)), Ok(sum));
            drop(parse_usd(&text));
        }
    }
}
