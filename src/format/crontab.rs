//! Crontabs with blocks of autodo's own in them: between two marker lines that name a project. What is not between them
//! is left byte for byte, whatever it is.

/// Longest command that every cron takes, in bytes. Source: `MAX_COMMAND` of Debian's cron 3.0pl1 is 1000, with its end.
pub const LONGEST_COMMAND: usize = 998;

const BEGIN: &str = "# >>> autodo batch: ";
const END: &str = "# <<< autodo batch: ";

/// A block as it stands in a crontab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The project's folder.
    pub project: String,
    /// Its lines, without the markers.
    pub lines: Vec<String>,
}

/// A block begins and does not end, or the other way round: somebody edited the markers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the crontab has a marker line without its other half: {0:?}")]
pub struct BrokenBlock(String);

/// A line with what it is to us.
enum Line<'a> {
    Begin(String),
    End(String),
    Other(&'a [u8]),
}

fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], Line<'_>)> {
    text.split_inclusive(|byte| *byte == b'\n').map(|raw| {
        let marked = std::str::from_utf8(raw).ok().map(str::trim_end);
        let project = |mark: &str| marked.and_then(|line| line.strip_prefix(mark)).map(str::to_owned);
        let line = match (project(BEGIN), project(END)) {
            (Some(project), _) => Line::Begin(project),
            (None, Some(project)) => Line::End(project),
            (None, None) => Line::Other(raw),
        };
        (raw, line)
    })
}

/// The blocks of a crontab.
///
/// # Errors
/// A marker stands alone.
pub fn blocks(text: &[u8]) -> Result<Vec<Block>, BrokenBlock> {
    let mut all = Vec::new();
    let mut open: Option<Block> = None;
    for (_, line) in lines(text) {
        match (line, &mut open) {
            (Line::Begin(project), None) => open = Some(Block { project, lines: vec![] }),
            (Line::End(project), Some(block)) if block.project == project => all.extend(open.take()),
            (Line::Begin(project), Some(_)) => return Err(BrokenBlock(format!("{BEGIN}{project}"))),
            (Line::End(project), _) => return Err(BrokenBlock(format!("{END}{project}"))),
            (Line::Other(raw), Some(block)) => block.lines.push(String::from_utf8_lossy(raw).trim_end().to_owned()),
            (Line::Other(_), None) => {}
        }
    }
    match open {
        Some(block) => Err(BrokenBlock(format!("{BEGIN}{}", block.project))),
        None => Ok(all),
    }
}

/// The crontab with the block of `project` as `new` has it: where it stood before, else at the end; `None`: without it.
///
/// # Errors
/// A marker stands alone.
pub fn with_block(text: &[u8], project: &str, new: Option<&[String]>) -> Result<Vec<u8>, BrokenBlock> {
    blocks(text)?;
    let mut made = Vec::with_capacity(text.len());
    let mut is_inside = false;
    let mut is_placed = false;
    let mut place = |made: &mut Vec<u8>| {
        let Some(new) = new.filter(|_| !is_placed) else { return };
        is_placed = true;
        let block = [format!("{BEGIN}{project}")].into_iter().chain(new.iter().cloned());
        for line in block.chain([format!("{END}{project}")]) {
            made.extend_from_slice(line.as_bytes());
            made.push(b'\n');
        }
    };
    for (raw, line) in lines(text) {
        match line {
            Line::Begin(found) if found == project => {
                is_inside = true;
                place(&mut made);
            }
            Line::End(found) if found == project => is_inside = false,
            _ if is_inside => {}
            _ => made.extend_from_slice(raw),
        }
    }
    // cron refuses a last line without its end.
    if made.last().is_some_and(|byte| *byte != b'\n') && new.is_some() {
        made.push(b'\n');
    }
    place(&mut made);
    Ok(made)
}

/// A shell command as it stands in a crontab, where `%` means the end of the line unless it is escaped.
#[must_use]
pub fn escaped(command: &str) -> String {
    command.replace('%', "\\%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(line: &str) -> Vec<String> {
        vec![line.to_owned()]
    }

    #[test]
    fn a_block_is_put_at_the_end_replaced_in_its_place_and_taken_away() {
        let other = b"MAILTO=ann\n*/5 * * * * touch \xff\n".as_slice();
        let one = with_block(other, "/p", Some(&own("0 1 * * * a"))).unwrap();
        let text = [other, b"# >>> autodo batch: /p\n0 1 * * * a\n# <<< autodo batch: /p\n"].concat();
        assert_eq!(one, text);
        let two = with_block(&one, "/q", Some(&own("b"))).unwrap();
        let again = with_block(&two, "/p", Some(&own("0 2 * * * a"))).unwrap();
        let found: Vec<(String, String)> =
            blocks(&again).unwrap().into_iter().map(|b| (b.project, b.lines.join("|"))).collect();
        assert_eq!(found, [("/p".to_owned(), "0 2 * * * a".to_owned()), ("/q".to_owned(), "b".to_owned())]);
        let rest = with_block(&again, "/p", None).unwrap();
        assert_eq!(with_block(&rest, "/q", None).unwrap(), other);
    }

    #[test]
    fn a_marker_without_its_other_half_is_left_alone() {
        for text in [
            "# >>> autodo batch: /p\nx\n",
            "# <<< autodo batch: /p\n",
            "# >>> autodo batch: /p\n# <<< autodo batch: /q\n",
        ] {
            assert!(with_block(text.as_bytes(), "/p", None).is_err(), "{text}");
            assert!(with_block(text.as_bytes(), "/p", Some(&own("x"))).is_err(), "{text}");
        }
    }

    #[test]
    fn percent_signs_survive_cron() {
        assert_eq!(escaped("date +%H"), "date +\\%H");
    }

    proptest! {
        #[test]
        fn what_is_not_ours_stays_byte_for_byte(before in any::<Vec<u8>>(), after in any::<Vec<u8>>()) {
            let (mut before, mut after) = (before, after);
            before.push(b'\n');
            after.push(b'\n');
            prop_assume!(blocks(&before).is_ok_and(|b| b.is_empty()) && blocks(&after).is_ok_and(|b| b.is_empty()));
            let ours = with_block(&before, "/p", Some(&own("0 1 * * * a"))).unwrap();
            let text = [ours, after.clone()].concat();
            let again = with_block(&text, "/p", Some(&own("0 2 * * * b"))).unwrap();
            prop_assert!(again.starts_with(&before) && again.ends_with(&after));
            prop_assert_eq!(with_block(&again, "/p", None).unwrap(), [before, after].concat());
        }
    }
}
