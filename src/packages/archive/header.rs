//! One tar header block, read so narrowly that every other reader must see the same.

/// Size of a header, and the unit an archive is padded to.
pub(super) const BLOCK: usize = 512;

/// What a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Records for the next entry (`x`).
    Pax,
    /// Records for all that follow (`g`).
    GlobalPax,
    /// The next entry's path (GNU `L`).
    LongName,
}

/// The parts of a header that decide what is unpacked. Owner, mode and times are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Name, with the prefix if there is one; any bytes but NUL, never empty.
    pub(super) path: Vec<u8>,
    pub(super) size: u64,
}

impl Header {
    /// Reads a block that is not all zeros.
    ///
    /// # Errors
    /// A reason.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, &'static str> {
        check_sum(block)?;
        check_numbers(block)?;
        let kind = kind(block)?;
        // node-tar takes the size of a directory for 0 and would read its body as headers.
        let size = octal(field(block, 124, 12)).ok_or("a size is not a plain octal number")?;
        if kind == Kind::Directory && size != 0 {
            return Err("a directory has a size");
        }
        // node-tar skips such an entry and reads its body as headers.
        if field(block, 157, 100).iter().any(|byte| *byte != 0) {
            return Err("an entry that is no link has a link target");
        }
        let path = path(block)?;
        Ok(Self { kind, path, size })
    }
}

fn field(block: &[u8; BLOCK], start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

fn check_sum(block: &[u8; BLOCK]) -> Result<(), &'static str> {
    let stored = field(block, 148, 8);
    // Some readers look beyond the field when nothing ends the number inside it.
    let is_ended = matches!(stored.last(), Some(0 | b' '));
    let blanks = 8 * u64::from(b' ');
    let sum = |bytes: &[u8]| bytes.iter().copied().map(u64::from).sum::<u64>();
    let actual = sum(block) - sum(stored) + blanks;
    if is_ended && octal(stored) == Some(actual) { Ok(()) } else { Err("a header's checksum is wrong") }
}

/// Start and length of mode, owner, group, mtime, device numbers, and node-tar's atime and ctime.
const OTHER_NUMBERS: [(usize, usize); 8] =
    [(100, 8), (108, 8), (116, 8), (136, 12), (329, 8), (337, 8), (476, 12), (488, 12)];

/// Numbers that mean nothing to us must still be numbers: some readers stop at one that is not, and node-tar drops
/// the entry of a negative or huge one and reads its body as headers. Base 256 is allowed, marked by a first byte of
/// 128, because GNU tar writes large owners so.
fn check_numbers(block: &[u8; BLOCK]) -> Result<(), &'static str> {
    let is_short_prefix = block[475] == 0;
    for (start, length) in OTHER_NUMBERS {
        let is_prefix = start > 475 && !is_short_prefix;
        if !is_prefix && !is_safe_number(field(block, start, length)) {
            return Err("a header holds an impossible number");
        }
    }
    Ok(())
}

fn is_safe_number(field: &[u8]) -> bool {
    let (head, _) = field.split_at(field.len().saturating_sub(6));
    let is_blank = field.iter().all(|byte| matches!(byte, 0 | b' '));
    match head {
        [128, zeros @ ..] => zeros.iter().all(|byte| *byte == 0),
        _ => is_blank || octal(field).is_some(),
    }
}

fn kind(block: &[u8; BLOCK]) -> Result<Kind, &'static str> {
    match block[156] {
        b'0' | 0 => Ok(Kind::File),
        b'5' => Ok(Kind::Directory),
        b'x' => Ok(Kind::Pax),
        b'g' => Ok(Kind::GlobalPax),
        b'L' => Ok(Kind::LongName),
        b'1' | b'2' | b'K' => Err("it holds a link"),
        b'3' | b'4' | b'6' => Err("it holds a device or a pipe"),
        b'S' => Err("it holds a sparse file"),
        _ => Err("it holds something that is neither a file nor a directory"),
    }
}

/// Digits, blanks before them, blanks and NULs behind: no sign, no base 256, not empty.
fn octal(field: &[u8]) -> Option<u64> {
    let run = |bytes: &[u8], is_in: fn(&u8) -> bool| bytes.iter().copied().take_while(is_in).count();
    let (_, digits) = field.split_at(run(field, |byte| *byte == b' '));
    let (digits, rest) = digits.split_at(run(digits, |byte| matches!(byte, b'0'..=b'7')));
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    let number = str::from_utf8(digits).ok()?;
    u64::from_str_radix(number, 8).ok()
}

fn path(block: &[u8; BLOCK]) -> Result<Vec<u8>, &'static str> {
    let name = text(field(block, 0, 100))?;
    // pnpm takes a first byte of zero for the end of the archive.
    if name.is_empty() {
        return Err("a name is empty");
    }
    let prefix = prefix(block)?;
    if prefix.is_empty() {
        return Ok(name.to_vec());
    }
    Ok([prefix, name].join(&b'/'))
}

fn prefix(block: &[u8; BLOCK]) -> Result<&[u8], &'static str> {
    match field(block, 257, 8) {
        b"ustar\x0000" if block[475] != 0 => text(field(block, 345, 155)),
        // Behind a short prefix node-tar may keep two times.
        b"ustar\x0000" => text(field(block, 345, 130)),
        // GNU has no prefix there, but pnpm reads one: it must be empty for both.
        b"ustar  \0" if field(block, 345, 155).iter().all(|byte| *byte == 0) => Ok(&[]),
        b"ustar  \0" => Err("a GNU header holds more than a name"),
        _ => Err("a header is neither POSIX nor GNU"),
    }
}

/// The bytes before the first NUL, behind which only NULs may stand.
fn text(field: &[u8]) -> Result<&[u8], &'static str> {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    let (text, rest) = field.split_at(end);
    if rest.iter().any(|byte| *byte != 0) {
        return Err("something is hidden behind a name");
    }
    Ok(text)
}
