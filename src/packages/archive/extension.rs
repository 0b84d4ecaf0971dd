//! Records that change the entry behind them: pax headers and GNU long names.

/// What an extension says about the next entry, as far as it may say anything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
}

/// Keys that never change what is unpacked or where to. node-tar and libarchive write them.
const HARMLESS: [&str; 12] = [
    "atime",
    "comment",
    "ctime",
    "gid",
    "gname",
    "mtime",
    "uid",
    "uname",
    "SCHILY.dev",
    "SCHILY.fflags",
    "SCHILY.ino",
    "SCHILY.nlink",
];

/// Families of such keys. Not `SCHILY.realsize` nor `GNU.sparse`, which move the end of the data.
const HARMLESS_FAMILIES: [&str; 5] =
    ["LIBARCHIVE.creationtime", "LIBARCHIVE.xattr.", "RHT.security.", "SCHILY.acl.", "SCHILY.xattr."];

impl Extension {
    /// Reads the records of an `x` header: `<length> <key>=<value>\n`, the length counting the whole record.
    pub(super) fn from_pax(body: &[u8]) -> Result<Self, &'static str> {
        let mut extension = Self::default();
        for record in Records(body) {
            let (key, value) = record?;
            extension.apply(key, value)?;
        }
        Ok(extension)
    }

    /// Reads a GNU long name: the path and a NUL.
    pub(super) fn from_long_name(body: &[u8]) -> Result<Self, &'static str> {
        let end = memchr::memchr(0, body).unwrap_or(body.len());
        let (name, rest) = body.split_at(end);
        if name.is_empty() || rest.iter().any(|byte| *byte != 0) {
            return Err("a long name is malformed");
        }
        let path = str::from_utf8(name).map_err(|_| "a long name is not valid UTF-8")?;
        Ok(Self { path: Some(path.to_owned()), size: None })
    }

    fn apply(&mut self, key: &str, value: &[u8]) -> Result<(), &'static str> {
        match key {
            // bun writes this before a path that is not ASCII. Ours must be UTF-8 under either name.
            "hdrcharset" if matches!(value, b"BINARY" | b"ISO-IR 10646 2000 UTF-8") => {}
            "path" if self.path.is_none() => self.path = Some(path(value)?),
            "size" if self.size.is_none() => self.size = Some(decimal(value).ok_or(MALFORMED)?),
            "path" | "size" => return Err("a pax header says the same thing twice"),
            _ if is_harmless(key) => {}
            _ => return Err("a pax header holds a record that clients may read differently"),
        }
        // node-tar reads records line by line: a value with a line break could bring in another record.
        if value.contains(&b'\n') {
            return Err("a pax record spans two lines");
        }
        Ok(())
    }
}

/// Accepts a `g` header if it only comments, as `git archive` does.
pub(super) fn check_global_pax(body: &[u8]) -> Result<(), &'static str> {
    for record in Records(body) {
        let (key, value) = record?;
        if key != "comment" || value.contains(&b'\n') {
            return Err("a global pax header does more than comment");
        }
    }
    Ok(())
}

const MALFORMED: &str = "a pax header is malformed";

fn is_harmless(key: &str) -> bool {
    let mut families = HARMLESS_FAMILIES.iter();
    HARMLESS.contains(&key) || families.any(|family| key.starts_with(family))
}

fn path(value: &[u8]) -> Result<String, &'static str> {
    let path = str::from_utf8(value).map_err(|_| "a path is not valid UTF-8")?;
    if path.is_empty() {
        return Err("a pax header holds an empty path");
    }
    Ok(path.to_owned())
}

/// A number without sign, blanks or leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit);
    if !is_plain || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The records of a pax body; ends behind the first malformed one.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<(&'a str, &'a [u8]), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((key, value, rest)) = split_record(self.0) else {
            self.0 = &[];
            return Some(Err(MALFORMED));
        };
        self.0 = rest;
        Some(Ok((key, value)))
    }
}

fn split_record(body: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let blank = memchr::memchr(b' ', body)?;
    let length = usize::try_from(decimal(body.get(..blank)?)?).ok()?;
    let (record, rest) = body.split_at_checked(length)?;
    let content = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', content)?;
    let key = str::from_utf8(content.get(..equals)?).ok()?;
    let value = content.get(equals + 1..)?;
    let is_clean = !key.is_empty() && !key.contains(char::is_control) && !value.contains(&0);
    is_clean.then_some((key, value, rest))
}
