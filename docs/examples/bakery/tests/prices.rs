//! What holds for every price list and every bill.

use bakery::{fmt_eur, price, PRICES};

#[test]
fn every_line_is_a_name_and_a_price() {
    for line in PRICES.lines() {
        let (name, _) = line.split_once(',').expect("a comma");
        assert!(price(name).is_some_and(|cents| cents > 0), "{line}");
    }
}

#[test]
fn the_bill_shows_the_cents() {
    assert_eq!(fmt_eur(250), "2.50 EUR");
    assert_eq!(fmt_eur(1205), "12.05 EUR");
}
