//! The prices of a small bakery.

/// The price list: a name and a price in cents on each line.
pub const PRICES: &str = include_str!("../prices.csv");

/// The price of `name` in cents; `None` if the bakery does not sell it.
pub fn price(name: &str) -> Option<u32> {
    let mut lines = PRICES.lines().filter_map(|line| line.split_once(','));
    lines.find(|(sold, _)| *sold == name).and_then(|(_, cents)| cents.parse().ok())
}

/// A price in cents as the bill shows it.
pub fn fmt_eur(cents: u32) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}
