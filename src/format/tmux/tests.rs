//! Rows, captures and versions of tmux, read back.

use proptest::prelude::*;

use super::*;

fn row(session: &str, title: &str, tag: [&str; 3]) -> String {
    let [ticket, run, launch] = tag;
    format!(
        "41|1700000000|%7|0|0|1|99|1700000001|12|3|4|220|50|{}|{}|{}|{}|{}|{ticket}{run}{launch}{session}{title}\n",
        ticket.len(),
        run.len(),
        launch.len(),
        session.len(),
        title.len(),
    )
}

#[test]
fn a_row_keeps_every_field() {
    let rows = pane_rows(row("ad-T-1", "✳ title", ["T-1", "2", "3"]).as_bytes()).unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.server, ServerMark { pid: 41, started_s: 1_700_000_000 });
    assert_eq!(row.pane.as_str(), "%7");
    assert_eq!((row.dead, row.in_mode, row.attached), (false, false, true));
    assert_eq!((row.pid, row.activity_s, row.history), (Some(99), 1_700_000_001, 12));
    assert_eq!((row.cursor, row.size), ((3, 4), (220, 50)));
    assert_eq!(row.tag, Some((TicketId::parse("T-1").unwrap(), 2, 3)));
    assert_eq!((row.session.as_str(), row.title.as_str()), ("ad-T-1", "✳ title"));
}

#[test]
fn a_pane_whose_program_has_ended_may_have_no_process() {
    let row = row("ad-T-1", "", ["T-1", "2", "3"]);
    // As tmux 3.8 prints it; 3.7c and older print the number that it had.
    let dead = row.replace("|%7|0|0|1|99|", "|%7|1|0|1||");
    let rows = pane_rows(dead.as_bytes()).unwrap();
    assert!(rows[0].dead && rows[0].pid.is_none() && rows[0].tag.is_some(), "{rows:?}");
    assert_eq!(pane_rows(row.replace("|%7|0|", "|%7|1|").as_bytes()).unwrap()[0].pid, Some(99));
    // For a moment it has none and is not dead yet.
    let ended = pane_rows(row.replace("|%7|0|0|1|99|", "|%7|0|0|1||").as_bytes()).unwrap();
    assert!(!ended[0].dead && ended[0].pid.is_none(), "{ended:?}");
    assert!(pane_rows(row.replace("|%7|0|0|1|99|", "|%7|1|0|1|x|").as_bytes()).is_err());
}

#[test]
fn half_a_tag_is_an_error_and_no_tag_is_not() {
    assert_eq!(pane_rows(row("s", "", ["", "", ""]).as_bytes()).unwrap()[0].tag, None);
    for tag in
        [["T-1", "", ""], ["T-1", "1", ""], ["", "1", "1"], ["T-1", "0", "1"], ["T-1", "x", "1"], ["-", "1", "1"]]
    {
        assert!(pane_rows(row("s", "", tag).as_bytes()).is_err(), "{tag:?}");
    }
}

#[test]
fn one_broken_row_spoils_the_look() {
    let good = row("s", "t", ["", "", ""]);
    for broken in ["\n", "x\n", "41|1|%7|0|0\n", &good[..good.len() - 1], &good.replace("%7", "7"), "no server"] {
        assert!(pane_rows(format!("{good}{broken}").as_bytes()).is_err(), "{broken:?}");
    }
}

#[test]
fn captures_are_split_on_the_nonce_alone() {
    let asked: Vec<_> = ["%1", "%2", "%3"].iter().filter_map(|id| PaneId::parse(id)).collect();
    let output =
        "n0|0|%1|2|1|80|3|a|b\nrow one  \nn1|0|%9|not a mark\n\nn0|1|||||0|\nn0|2|%3|0|0|80|0|\nlast\nn0|end\n";
    let found = screens(output.as_bytes(), "n0", &asked).unwrap();
    let Observed::Present(first) = &found[0].1 else { panic!("{found:?}") };
    assert_eq!(first.rows, ["row one", "n1|0|%9|not a mark", ""]);
    assert_eq!((first.cursor, first.width, first.title.as_str()), ((2, 1), 80, "a|b"));
    assert_eq!(found[1].1, Observed::Absent);
    assert!(matches!(&found[2].1, Observed::Present(screen) if screen.rows == ["last"]));
}

#[test]
fn a_batch_that_was_cut_off_is_an_error() {
    let asked = [PaneId::parse("%1").unwrap()];
    let whole = "n0|0|%1|2|1|80|0|\nrow\nn0|end\n";
    assert!(screens(whole.as_bytes(), "n0", &asked).is_ok());
    for end in 0..whole.len() {
        assert!(screens(&whole.as_bytes()[..end], "n0", &asked).is_err(), "{end}");
    }
    assert!(screens(whole.replace("%1", "%2").as_bytes(), "n0", &asked).is_err());
}

#[test]
fn versions_are_read_as_tmux_prints_them() {
    for (output, release, usable) in [
        ("tmux 3.3a\n", Some((3, 3)), true),
        ("tmux 3.2", Some((3, 2)), true),
        ("tmux 3.1c", Some((3, 1)), false),
        ("tmux 2.9a", Some((2, 9)), false),
        ("tmux next-3.6", Some((3, 6)), true),
        ("tmux 3.10", Some((3, 10)), true),
        ("tmux 3.4-rc2", Some((3, 4)), true),
        ("tmux master", None, true),
        ("tmux openbsd-7.5", None, true),
        ("tmux 3.5a", Some((3, 5)), true),
        ("tmux next-3.7", Some((3, 7)), true),
        ("tmux next-3.1", Some((3, 1)), false),
        ("tmux 3.6.1", Some((3, 6)), true),
    ] {
        let version = Version::parse(output).unwrap();
        assert_eq!((version.release, version.is_usable()), (release, usable), "{output}");
    }
    for odd in ["", "tmux", "tmux ", "tmux x.y", "screen 4.9", "tmux 3", "tmux 3."] {
        assert!(Version::parse(odd).is_err(), "{odd}");
    }
}

#[test]
fn only_a_version_that_was_tested_is_said_to_be() {
    for text in TESTED {
        let version = Version::parse(&format!("tmux {text}\n")).unwrap();
        assert!(version.is_tested() && version.is_usable() && version.text == *text, "{text}");
    }
    for text in
        ["3.2", "3.2a", "3.3", "3.4", "3.5", "3.6b", "3.7", "3.8a", "3.8-rc", "next-3.8", "master", "openbsd-7.5"]
    {
        assert!(!Version::parse(&format!("tmux {text}")).unwrap().is_tested(), "{text}");
    }
}

proptest! {
    #[test]
    fn free_text_never_shifts_a_field(session in "\\PC{0,20}", title in "(?s).{0,40}", next in "(?s).{0,9}") {
        let output = row(&session, &title, ["T-1", "1", "1"]) + &row("x", &next, ["", "", ""]);
        let rows = pane_rows(output.as_bytes()).unwrap();
        prop_assert_eq!(rows.len(), 2);
        prop_assert_eq!(&rows[0].session, &session);
        prop_assert_eq!(&rows[0].title, &title);
        prop_assert_eq!(&rows[1].title, &next);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let asked = [PaneId::parse("%1").unwrap()];
        // Ignored: only that it returns at all.
        pane_rows(&bytes).ok();
        // Ignored: as above.
        screens(&bytes, "n0", &asked).ok();
    }
}

#[test]
fn pulses_are_read_whole_or_not_at_all() {
    let said = "71|1795293729|\n%0|0|0|1|1795293729|\n%12|1|2|0|1795293733|\n";
    let (server, all) = pulses(said.as_bytes()).unwrap();
    assert_eq!(server, ServerMark { pid: 71, started_s: 1_795_293_729 });
    let second = &all[1];
    assert_eq!((second.pane.as_str(), second.dead, second.in_mode, second.attached), ("%12", true, true, false));
    assert_eq!((all.len(), second.activity_s), (2, 1_795_293_733));
    let whole: Vec<usize> = said.match_indices('\n').map(|(at, _)| at + 1).collect();
    for cut in (0..said.len()).filter(|cut| !whole.contains(cut)) {
        assert!(pulses(&said.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
    for odd in ["x|1|\n", "1|1\n", "1|1|\n%1|0|0|0|1\n", "1|1|\n1|0|0|0|1|\n", "1|1|\n%1|||0|1|\n", "1|1|\n\n"] {
        assert!(pulses(odd.as_bytes()).is_err(), "{odd:?}");
    }
}
