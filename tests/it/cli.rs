//! The command line, by the real binary: what it does, what it says, how it ends.

mod asking;
mod backlogs;
mod batches;
mod bundling;
mod cleaning;
mod cleaning_orphans;
mod cleaning_room;
mod completing;
mod config;
mod debug;
mod dispatching;
mod doctor;
mod doctor_agents;
mod doctor_project;
mod following;
mod handing_in;
mod heavy;
mod hook;
mod init;
mod manual;
mod measuring;
mod morning;
mod notifying;
mod person;
mod profile;
mod queue;
mod quota;
mod terminal;
mod unattended;
mod waiting;
mod watching;

use crate::support::world::World;

/// A world whose PATH has `programs` of this machine and nothing else, in a folder to which a test may add.
fn lean(programs: &[&str]) -> World {
    let mut world = World::new();
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in programs {
        let real = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        let real = real.unwrap_or_else(|| panic!("the tests need {program}"));
        std::os::unix::fs::symlink(real, bin.join(program)).unwrap();
    }
    world.set("PATH", bin);
    world
}

/// Puts a program of the test's own on the PATH of a [`lean`] world.
fn install(world: &World, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let file = world.root().join("bin").join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A profile for the program `program`, as a user would write it.
pub fn profile_text(name: &str, program: &str) -> String {
    format!(
        "version = 1\nname = \"{name}\"\nextends = \"generic\"\ndescription = \"an agent of mine\"\n\n\
         [launch]\nargv = [\"{program}\"]\n\n\
         [[programs]]\nname = \"{program}\"\nversion_argv = [\"{program}\", \"--version\"]\n"
    )
}

/// Puts a profile into the home's folder of profiles.
fn user_profile(world: &World, name: &str, text: &str) {
    let folder = world.home().join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
}
