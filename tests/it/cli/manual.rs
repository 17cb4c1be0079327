//! `man`: the manual page.

use crate::support::world::World;

#[test]
fn the_manual_page_names_every_verb_and_every_exit_code_in_the_language_of_man() {
    let world = World::new();
    let page = world.autodo(&["man"]).ok().stdout;
    assert!(page.is_ascii(), "{:?}", page.lines().find(|line| !line.is_ascii()));
    let verbs = autodo::cli::command();
    for verb in verbs.get_subcommands() {
        assert!(page.contains(&format!("\n.SS \"autodo {}\"\n", verb.get_name())), "{}", verb.get_name());
        for below in verb.get_subcommands() {
            let name = format!("\n.SS \"autodo {} {}\"\n", verb.get_name(), below.get_name());
            assert!(page.contains(&name), "{name}");
        }
    }
    let exits = page.split("\n.SH ").find(|part| part.starts_with("\"EXIT STATUS\"")).unwrap();
    for exit in autodo::app::Exit::ALL {
        assert!(exits.contains(&format!("\n.TP\n\\fB{}\\fR\n", exit.code())), "{}", exit.code());
    }
    // Nothing that begins with a dot is meant as text.
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        let macros = [".TH", ".SH", ".SS", ".TP", ".PP", ".ie", ".el"];
        assert!(macros.iter().any(|name| line.starts_with(name)), "{line}");
    }
    for part in ["NAME", "SYNOPSIS", "DESCRIPTION", "VERBS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(page.contains(&format!("\n.SH {part}\n")), "{part}");
    }
}
