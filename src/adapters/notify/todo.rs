//! A project's `TODO.md`.

use std::path::Path;

use crate::{
    adapters::fs::{self, FsError, Sync},
    domain::{
        observed::Observed,
        todo::{Item, Standing},
    },
    format::todo::edited,
};

/// Longest file that is touched, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// Brings autodo's lines in the file up to date; it is made where there is something to enter and none is there.
///
/// # Errors
/// It cannot be read or written, or is not a text: it is untouched then.
pub(super) fn bring_up_to_date(path: &Path, items: &[Item]) -> Result<(), FsError> {
    let (there, before) = match fs::look_text(path) {
        Observed::Present(text) => (true, text),
        Observed::Absent => (false, String::new()),
        Observed::Unknown(why) => return Err(FsError::refused("read", path, why)),
    };
    if before.len() > LONGEST {
        return Err(FsError::refused("edit", path, "it is too long"));
    }
    if !there && items.iter().all(|item| matches!(item.standing, Standing::Gone | Standing::Approved)) {
        return Ok(());
    }
    let after = items.iter().fold(before.clone(), |text, item| edited(&text, item).unwrap_or(text));
    match (there, after == before) {
        (_, true) => Ok(()),
        (true, false) => fs::rewrite(path, after.as_bytes()),
        (false, false) => fs::write_atomic(path, after.as_bytes(), fs::SHARED, Sync::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    fn item(standing: Standing) -> Item {
        Item { id: samples::id("T-1"), title: "Title".to_owned(), standing }
    }

    #[test]
    fn the_file_is_made_with_need_and_keeps_its_mode_and_its_link() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("TODO.md");
        bring_up_to_date(&path, &[item(Standing::Gone)]).unwrap();
        assert!(!path.exists());
        bring_up_to_date(&path, &[item(Standing::Review)]).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("REVIEW: Title"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = dir.path().join("link.md");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        bring_up_to_date(&link, &[item(Standing::Approved)]).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("- [x] REVIEW"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn a_file_that_is_no_text_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("TODO.md");
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(bring_up_to_date(&path, &[item(Standing::Review)]).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"\xff\xfe");
    }
}
