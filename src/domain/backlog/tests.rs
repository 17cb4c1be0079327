//! Tests of sets of tickets.

use proptest::prelude::*;

use super::*;

fn id(text: &str) -> TicketId {
    TicketId::parse(text).unwrap()
}

/// `a<b,c` is ticket `a` that depends on `b` and `c`.
fn set(lines: &[&str]) -> Vec<(String, Ticket)> {
    let ticket = |(index, line): (usize, &&str)| {
        let (own, after) = line.split_once('<').unwrap_or((line, ""));
        let ticket = Ticket {
            id: id(own),
            title: own.to_owned(),
            body: String::new(),
            priority: 3,
            after: after.split(',').filter(|a| !a.is_empty()).map(id).collect(),
            profile: None,
            labels: Vec::new(),
            accept: Vec::new(),
            limit_s: None,
            budget: None,
            unattended: true,
        };
        (format!("{index}.md"), ticket)
    };
    lines.iter().enumerate().map(ticket).collect()
}

fn said(lines: &[&str], known: &[&str]) -> Vec<String> {
    let known = known.iter().map(|k| (*k).to_owned()).collect();
    check(&set(lines), &known).iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_set_has_no_trouble() {
    assert_eq!(said(&["a", "b<a", "c<a,b", "d<Z"], &["z", "a"]), Vec::<String>::new());
    assert_eq!(said(&[], &[]), Vec::<String>::new());
}

#[test]
fn ids_that_differ_only_in_case_are_the_same() {
    assert_eq!(
        said(&["Fix-it", "b", "fix-it", "FIX-IT"], &[]),
        [
            "0.md: the id Fix-it is not unique (case does not count): also fix-it in 2.md, FIX-IT in 3.md",
            "2.md: the id fix-it is not unique (case does not count): also Fix-it in 0.md, FIX-IT in 3.md",
            "3.md: the id FIX-IT is not unique (case does not count): also Fix-it in 0.md, fix-it in 2.md",
        ]
    );
}

#[test]
fn dependencies_are_found_in_the_set_and_in_the_home() {
    assert_eq!(said(&["a<B,x,y", "b"], &["x"]), ["0.md: a depends on y, which is unknown"]);
    assert_eq!(said(&["a<A"], &["a"]), ["0.md: a depends on itself"]);
}

#[test]
fn a_cycle_is_named_once_by_its_shortest_way() {
    assert_eq!(said(&["x<a", "a<b", "b<a", "end"], &[]), ["1.md: a depends on itself: a → b → a"]);
    assert_eq!(said(&["a<b", "b<c,d", "c<d", "d<a"], &[]), ["0.md: a depends on itself: a → b → d → a"]);
    let two = said(&["a<b", "b<a,c", "c<d", "d<c"], &[]);
    assert_eq!(two, ["0.md: a depends on itself: a → b → a", "2.md: c depends on itself: c → d → c"]);
    // Two circles that share a ticket are one knot.
    assert_eq!(said(&["a<b", "b<a,c", "c<b"], &[]).len(), 1);
}

#[test]
fn what_depends_on_a_bad_ticket_goes_with_it() {
    let tickets = set(&["a", "b<a", "c<B", "d", "e<d,c"]);
    let lost = fallout(&tickets, &BTreeSet::from([0]));
    assert_eq!(lost, BTreeMap::from([(1, id("a")), (2, id("b")), (4, id("c"))]));
    assert_eq!(fallout(&tickets, &BTreeSet::from([4, 99])), BTreeMap::new());
    // The other tickets of a cycle go with the one that has the trouble.
    let cycle = set(&["a<b", "b<c", "c<a", "d<c", "e"]);
    let bad: BTreeSet<usize> = check(&cycle, &BTreeSet::new()).iter().map(|t| t.index).collect();
    assert_eq!(fallout(&cycle, &bad).into_keys().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn dependencies_are_spelt_as_their_tickets_spell_themselves() {
    let mut tickets = set(&["T-1", "b<t-1,X-9,nobody"]);
    spell_dependencies(&mut tickets, &[id("x-9"), id("t-1")]);
    assert_eq!(tickets[1].1.after, [id("T-1"), id("x-9"), id("nobody")]);
}

#[test]
fn a_thousand_tickets_in_a_row_are_checked_at_once() {
    let lines: Vec<String> =
        (0..1000).map(|n| if n == 0 { "t0".to_owned() } else { format!("t{n}<t{}", n - 1) }).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(check(&set(&lines), &BTreeSet::new()), Vec::new());
    assert_eq!(fallout(&set(&lines), &BTreeSet::from([0])).len(), 999);
}

proptest! {
    #[test]
    fn what_is_left_after_dropping_can_be_put_in_order(
        edges in proptest::collection::vec((0usize..8, 0usize..10), 0..20),
        upper in proptest::collection::vec(any::<bool>(), 8),
    ) {
        let lines: Vec<String> = (0..8)
            .map(|own| {
                let after: Vec<String> = edges.iter().filter(|e| e.0 == own).map(|e| format!("t{}", e.1)).collect();
                // Tickets 0 and 1 may share an id.
                let name = if own == 1 && upper[0] { "T0".to_owned() } else { format!("t{own}") };
                format!("{name}<{}", after.join(","))
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let tickets = set(&lines);
        let bad: BTreeSet<usize> = check(&tickets, &BTreeSet::from(["t8".to_owned()])).iter().map(|t| t.index).collect();
        let lost = fallout(&tickets, &bad);
        let mut left: Vec<usize> = (0..8).filter(|n| !bad.contains(n) && !lost.contains_key(n)).collect();
        let mut through = BTreeSet::from(["t8".to_owned()]);
        while !left.is_empty() {
            let (ready, rest): (Vec<usize>, Vec<usize>) =
                left.iter().partition(|n| tickets[**n].1.after.iter().all(|a| through.contains(&a.folded())));
            prop_assert!(!ready.is_empty(), "{:?} are left of {:?}", left, lines);
            for n in ready {
                prop_assert!(through.insert(tickets[n].1.id.folded()), "an id twice in {:?}", lines);
            }
            left = rest;
        }
        if bad.is_empty() {
            prop_assert!(lost.is_empty());
        }
    }
}
