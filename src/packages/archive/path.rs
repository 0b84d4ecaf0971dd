//! Which paths an entry may have, and which names mean the same file to some client or file system.

/// Files in the top folder that change what a client does with a package.
pub(super) const SPECIAL: [&str; 3] = ["package.json", "npm-shrinkwrap.json", "binding.gyp"];

/// A checked path: relative, plain, below its first segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryPath<'a> {
    /// The folder that clients strip, usually `package`.
    pub(super) top: &'a str,
    /// What is left; empty for the top folder itself.
    pub(super) inner: &'a str,
}

impl<'a> EntryPath<'a> {
    /// Checks a path of a file or directory.
    ///
    /// # Errors
    /// A reason.
    pub(super) fn parse(path: &'a str, is_directory: bool) -> Result<Self, &'static str> {
        if path.contains('\\') || path.contains(char::is_control) {
            return Err("its path has a backslash or a control character");
        }
        let path = match path.strip_suffix('/') {
            Some(stem) if is_directory => stem,
            _ => path,
        };
        for segment in path.split('/') {
            check_segment(segment)?;
        }
        let (top, inner) = path.split_once('/').unwrap_or((path, ""));
        if has_drive(top) || has_drive(inner) {
            return Err("its path begins with a drive letter");
        }
        if inner.is_empty() && !is_directory {
            return Err("it stands outside of the top folder");
        }
        Ok(Self { top, inner })
    }

    /// The special file this path is, or that some file system could take it (or a folder on the way) for.
    pub(super) fn special(self) -> Option<&'static str> {
        let (first, _) = self.inner.split_once('/').unwrap_or((self.inner, ""));
        let skeleton = skeleton(first);
        let mut names = SPECIAL.into_iter();
        names.find(|name| skeleton == *name || is_short_name(&skeleton, name))
    }
}

fn check_segment(segment: &str) -> Result<(), &'static str> {
    // Windows drops dots and blanks at the end of a name, which makes `. .` and `...` climb or stay.
    if segment.trim_end_matches(['.', ' ']).is_empty() {
        return Err("its path is absolute or has an empty, . or .. segment");
    }
    Ok(())
}

fn has_drive(path: &str) -> bool {
    let mut characters = path.chars();
    let letter = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    letter && characters.next() == Some(':')
}

/// What is left of a name on the most forgetful file system: NTFS drops case, trailing dots and blanks, and what
/// follows a colon is a stream of the same file; HFS+ drops invisible characters and composes the Kelvin sign;
/// APFS folds the long s.
fn skeleton(name: &str) -> String {
    let (name, _) = name.split_once(':').unwrap_or((name, ""));
    let visible = name.chars().filter(|c| !is_ignorable(*c)).map(fold);
    let folded: String = visible.collect();
    folded.trim_end_matches(['.', ' ']).to_owned()
}

fn fold(character: char) -> char {
    match character {
        '\u{212A}' => 'k',
        '\u{17F}' => 's',
        _ => character.to_ascii_lowercase(),
    }
}

fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a name is the 8.3 alias that Windows makes for another, `packag~1.jso`.
fn is_short_name(name: &str, long: &str) -> bool {
    let Some((stem, extension)) = name.split_once('.') else {
        return false;
    };
    let Some((long_stem, long_extension)) = long.split_once('.') else {
        return false;
    };
    let Some((head, number)) = stem.split_once('~') else {
        return false;
    };
    let long_stem = long_stem.replace('-', "");
    let is_head = !head.is_empty() && (long_stem.starts_with(head) || long.starts_with(head));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_head && is_number && extension.len() <= 3 && long_extension.starts_with(extension)
}
