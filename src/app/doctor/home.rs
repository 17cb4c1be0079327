//! The home: that it can be written, that locks hold there, that its programs may be run, and where its sockets lie.

use super::{Check, run::Scene};
use crate::{
    adapters::{fs, machine},
    domain::observed::Observed,
};

const MOVE: &str = "set AUTODO_HOME to a folder of yours on a local disk";

pub(super) fn checks(scene: &Scene) -> Vec<Check> {
    vec![writable(scene), locks(scene), sockets(scene)]
}

fn writable(scene: &Scene) -> Check {
    let name = "home";
    let root = scene.home.root();
    let shown = root.display();
    for place in root.ancestors() {
        match fs::look_kind(place) {
            Observed::Absent => {}
            Observed::Present(fs::Kind::Folder | fs::Kind::Link) => break,
            Observed::Present(fs::Kind::File | fs::Kind::Other) => {
                return Check::fail(name, format!("{} is no folder", place.display()), MOVE);
            }
            Observed::Unknown(why) => return Check::fail(name, why, MOVE),
        }
    }
    let folder = fs::nearest_folder(root);
    if let Err(error) = fs::try_write(&folder) {
        return Check::fail(name, error.to_string(), MOVE);
    }
    if let Observed::Present(disk) = machine::disk(&folder)
        && disk.no_exec
    {
        return Check::fail(
            name,
            format!(
                "{shown} is on a file system where nothing may be run (noexec), and autodo keeps a copy of itself there"
            ),
            MOVE,
        );
    }
    let yet = if folder == root { "" } else { " (not made yet)" };
    Check::ok(name, format!("{shown}{yet} can be written"))
}

fn locks(scene: &Scene) -> Check {
    let folder = fs::nearest_folder(scene.home.root());
    match fs::try_lock(&folder) {
        Ok(()) => Check::ok("locks", format!("locks hold in {}", folder.display())),
        Err(error) => Check::fail("locks", error.to_string(), MOVE),
    }
}

fn sockets(scene: &Scene) -> Check {
    let name = "sockets";
    let runtime = scene.home.runtime();
    let shown = runtime.display();
    if runtime.starts_with(scene.home.root()) {
        return Check::ok(name, format!("sockets lie in {shown}"));
    }
    // The folder in /tmp can be anybody's; opening the home refuses one that is not ours alone.
    let folders = [runtime.parent(), Some(runtime)];
    for folder in folders.into_iter().flatten() {
        if let Err(error) = fs::check_guarded(folder) {
            return Check::fail(name, error.to_string(), "remove it, or set AUTODO_HOME to a shorter path");
        }
    }
    Check::ok(name, format!("the home's path is too long for sockets, so they lie in {shown}"))
}
