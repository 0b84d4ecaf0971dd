//! Archives built byte by byte: the honest forms of every packer, and what no client may be shown.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

pub(crate) const MANIFEST: &[u8] = br#"{"name":"@acme/one","version":"1.0.0"}"#;

/// A tar archive under construction.
#[derive(Default, Clone)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn file(self, path: &str, data: &[u8]) -> Self {
        self.entry(b'0', path.as_bytes(), data)
    }

    pub(crate) fn package() -> Self {
        Self::default().file("package/package.json", MANIFEST)
    }

    fn entry(self, kind: u8, path: &[u8], data: &[u8]) -> Self {
        let header = header(kind, path, data.len());
        self.raw(&header).raw(data).pad()
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn pad(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        let body: String = records.iter().map(|(key, value)| record(key, value)).collect();
        self.entry(b'x', b"PaxHeader/x", body.as_bytes())
    }

    pub(crate) fn gz(self) -> Vec<u8> {
        gzip(&self.raw(&[0; 1024]).0)
    }
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

fn header(kind: u8, path: &[u8], size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    block[..path.len()].copy_from_slice(path);
    block[100..108].copy_from_slice(b"000644 \0");
    block[124..136].copy_from_slice(format!("{size:011o} ").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    sign(block)
}

fn sign(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn look(tar: Tar) -> Result<ArchiveSummary, ArchiveError> {
    inspect(tar.gz().as_slice(), &ArchiveLimits::default())
}

#[track_caller]
fn refused(tar: Tar, words: &str) {
    let error = look(tar).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn an_ordinary_package_is_summed_up() {
    let tar = Tar::package()
        .file("package/lib/index.js", b"42")
        .file("package/readme.TXT", b"plain")
        .file("package/README.md", b"# one\n")
        .file("package/README.de.md", b"# eins\n")
        .file("package/npm-shrinkwrap.json", b"{}")
        .file("package/binding.gyp", b"{}");
    let summary = look(tar).unwrap();
    assert_eq!(summary.package_json, MANIFEST);
    assert_eq!(summary.top, "package");
    assert_eq!(summary.file_count(), 7);
    assert_eq!(summary.unpacked_size, 38 + 2 + 5 + 6 + 7 + 2 + 2);
    assert!(summary.has_shrinkwrap && summary.has_root_binding_gyp);
    let readme = summary.readme.unwrap();
    assert_eq!((readme.file_name.as_str(), readme.text.as_str()), ("README.md", "# one\n"));
    assert_eq!(summary.files[1].path, "lib/index.js");
    assert_eq!(summary.files[1].offset, 3 * 512);
}

#[test]
fn names_below_the_top_folder_are_not_special() {
    let tar = Tar::package()
        .file("package/a/package.json", b"{}")
        .file("package/a/Package.json", b"{}")
        .file("package/a/npm-shrinkwrap.json", b"{}")
        .file("package/a/README.md", b"x");
    let summary = look(tar).unwrap();
    assert!(!summary.has_shrinkwrap);
    assert_eq!(summary.readme, None);
}

#[test]
fn any_one_top_folder_will_do() {
    let tar = Tar::default().entry(b'5', b"some thing/", b"").file("some thing/package.json", MANIFEST);
    assert_eq!(look(tar).unwrap().top, "some thing");
}

#[test]
fn long_paths_come_as_prefix_pax_or_long_name() {
    let long = format!("package/{}.js", "l/".repeat(120) + "x");
    let mut prefixed = header(b'0', b"x.js", 0);
    prefixed[345..345 + 131].copy_from_slice(format!("package/{}", "p".repeat(123)).as_bytes());
    let tar = Tar::package()
        .pax(&[("path", &long), ("size", "2"), ("mtime", "1.5")])
        .file("package/l/l", b"42")
        .entry(b'L', b"././@LongLink", format!("{long}.map\0").as_bytes())
        .entry(0, b"package/l/l", b"x")
        .raw(&sign(prefixed));
    let paths: Vec<_> = look(tar).unwrap().files.into_iter().map(|file| file.path).collect();
    let inner = long.strip_prefix("package/").unwrap();
    assert_eq!(paths[1..3], [inner.to_owned(), format!("{inner}.map")]);
    assert_eq!(paths[3], format!("{}/x.js", "p".repeat(123)));
}

#[test]
fn the_tar_crate_and_git_archive_are_understood() {
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["package.json".to_owned(), "n/".repeat(100) + "index.js"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(MANIFEST.len() as u64);
        builder.append_data(&mut header, format!("top/{name}"), MANIFEST).unwrap();
    }
    let bytes = gzip(&builder.into_inner().unwrap());
    assert_eq!(inspect(bytes.as_slice(), &ArchiveLimits::default()).unwrap().file_count(), 2);

    let comment = record("comment", "0123abcd");
    let git = Tar::default().entry(b'g', b"pax_global_header", comment.as_bytes());
    look(git.file("package/package.json", MANIFEST)).unwrap();
    let path = record("path", "package/x");
    refused(Tar::default().entry(b'g', b"g", path.as_bytes()), "more than comment");
}

#[test]
fn there_is_exactly_one_package_json() {
    refused(Tar::default().file("package/index.js", b""), "no package.json");
    refused(Tar::default().file("package/a/package.json", b""), "no package.json");
    refused(Tar::package().file("package/package.json", MANIFEST), "same path");
}

#[test]
fn other_spellings_of_special_files_are_refused() {
    for name in [
        "Package.json",
        "package.json.",
        "package.json ",
        "package.json::$DATA",
        "package.j\u{17F}on",
        "pac\u{212A}age.json",
        "pack\u{200C}age.json",
        "packag~1.jso",
        "package.json/x",
        "NPM-shrinkwrap.json",
        "Binding.gyp",
    ] {
        refused(Tar::package().file(&format!("package/{name}"), b""), "take it for another");
    }
    let directory = Tar::package().entry(b'5', b"package/npm-shrinkwrap.json/", b"");
    refused(directory, "take it for another");
    look(Tar::package().file("package/package~json", b"")).unwrap();
}

#[test]
fn paths_are_relative_and_plain() {
    for path in [
        "/package/x",
        "package//x",
        "package/../x",
        "package/./x",
        "./package/x",
        "package/. ./x",
        "package/.../x",
        "package/x/",
        "../x",
        "package/",
    ] {
        refused(Tar::package().file(path, b""), "segment");
    }
    refused(Tar::package().file("package/a\\b", b""), "backslash");
    refused(Tar::package().file("package/a\nb", b""), "control");
    refused(Tar::package().file("package/c:x", b""), "drive");
    refused(Tar::package().file("other/x", b""), "another top folder");
    refused(Tar::package().file("x", b""), "outside");
    refused(Tar::package().entry(b'0', b"package/\xFF", b""), "UTF-8");
    look(Tar::package().file("package/..x/.y/z..js", b"")).unwrap();
}

#[test]
fn only_files_and_directories_are_unpacked() {
    for kind in *b"123467KSVMDNX" {
        let error = look(Tar::package().entry(kind, b"package/x", b"")).unwrap_err();
        assert!(matches!(error, ArchiveError::Tar { .. }), "{}", char::from(kind));
    }
}

#[test]
fn headers_that_readers_take_differently_are_refused() {
    let change = |at: usize, bytes: &[u8]| {
        let mut block = header(b'0', b"package/x", 0);
        block[at..at + bytes.len()].copy_from_slice(bytes);
        Tar::package().raw(&sign(block))
    };
    look(change(100, b"1234567 ")).unwrap();
    look(change(108, b"\x80\0\x01\xFF\xFF\xFF\xFF\xFF")).unwrap();
    refused(change(108, b"\x80\x01\0\0\0\0\0\0"), "impossible number");
    refused(change(136, b"\xFF\xFF"), "impossible number");
    refused(change(476, b"\x90"), "impossible number");
    refused(change(116, b"../755 "), "impossible number");
    refused(change(0, &[0; 9]), "name is empty");
    refused(change(50, b"hidden"), "hidden");
    refused(change(157, b"target"), "link target");
    refused(change(124, b"\x80\0\0\0\0\0\0\0\0\0\0\0"), "octal");
    refused(change(124, b"-0000000001\0"), "octal");
    refused(change(124, b"\0\0\0\0\0\0\0\0\0\0\0\0"), "octal");
    refused(change(124, b"0000000000\x001"), "octal");
    refused(change(257, b"\0\0\0\0\0\0\0\0"), "neither POSIX nor GNU");
    refused(change(345, b"a\0b"), "hidden");
    let mut gnu = header(b'0', b"package/x", 0);
    gnu[257..265].copy_from_slice(b"ustar  \0");
    look(Tar::package().raw(&sign(gnu))).unwrap();
    gnu[345..351].copy_from_slice(b"prefix");
    refused(Tar::package().raw(&sign(gnu)), "more than a name");
    let mut wrong = header(b'0', b"package/x", 0);
    wrong[0] = b'q';
    refused(Tar::package().raw(&wrong), "checksum");
    refused(Tar::package().entry(b'5', b"package/d/", b"body"), "directory has a size");
}

#[test]
fn extensions_that_readers_take_differently_are_refused() {
    let pax = |records: &[(&str, &str)]| Tar::package().pax(records).file("package/x", b"42");
    look(pax(&[("path", "package/y"), ("size", "2"), ("SCHILY.xattr.a", "b"), ("hdrcharset", "BINARY")])).unwrap();
    refused(pax(&[("size", "3")]), "another size");
    refused(pax(&[("size", "02")]), "malformed");
    refused(pax(&[("path", "package/y"), ("path", "package/z")]), "twice");
    refused(pax(&[("linkpath", "package/y")]), "read differently");
    refused(pax(&[("GNU.sparse.realsize", "9")]), "read differently");
    refused(pax(&[("SCHILY.realsize", "9")]), "read differently");
    refused(pax(&[("hdrcharset", "ISO-IR 8859 1 1998")]), "read differently");
    refused(pax(&[("comment", "a\n18 path=package/z")]), "two lines");
    refused(pax(&[("path", "package/../y")]), "segment");
    refused(pax(&[("path", "package/package.json")]), "same path");
    let twice = Tar::package().pax(&[("mtime", "1")]).pax(&[("mtime", "2")]);
    refused(twice.file("package/x", b""), "two pax headers");
    refused(Tar::package().pax(&[("path", "package/x")]), "before no entry");
    refused(Tar::package().entry(b'x', b"x", b"12 path"), "malformed");
    refused(Tar::package().entry(b'x', b"x", b"\0\0\0\0"), "malformed");
    refused(Tar::package().entry(b'x', b"x", b""), "empty");
    refused(Tar::package().entry(b'L', b"L", b"a\0b"), "malformed");
    let shadow = Tar::default()
        .file("package/index.js", b"")
        .pax(&[("path", "package/harmless.json")])
        .file("package/package.json", b"{}");
    refused(shadow, "names a special file");
}

#[test]
fn the_archive_ends_in_zeros_and_nothing_else() {
    let limits = ArchiveLimits::default();
    let look = |bytes: Vec<u8>| inspect(bytes.as_slice(), &limits).map(drop);
    let tar = Tar::package();
    look(gzip(&tar.clone().raw(&[0; 10240]).0)).unwrap();
    look(gzip(&tar.clone().raw(&[0; 512]).0)).unwrap_err();
    look(gzip(&tar.0)).unwrap_err();
    look(gzip(&tar.clone().raw(&[0; 1024]).raw(b"x").0)).unwrap_err();
    look(gzip(&tar.clone().raw(&[0; 512]).file("package/x", b"").raw(&[0; 1024]).0)).unwrap_err();
    look(gzip(&tar.0[..700])).unwrap_err();
    look(Vec::new()).unwrap_err();
    look(tar.clone().raw(&[0; 1024]).0).unwrap_err();
}

#[test]
fn gzip_is_one_member_whole_and_alone() {
    let whole = Tar::package().gz();
    let limits = ArchiveLimits::default();
    let gzip_error = |bytes: &[u8]| {
        let error = inspect(bytes, &limits).unwrap_err();
        assert!(matches!(error, ArchiveError::Gzip(_)), "{error}");
    };
    gzip_error(&[&whole[..], &gzip(b"")[..]].concat());
    gzip_error(&[&whole[..], b"\0"].concat());
    for cut in 1..9 {
        gzip_error(&whole[..whole.len() - cut]);
    }
    for at in 1..9 {
        let mut bent = whole.clone();
        let place = bent.len() - at;
        bent[place] ^= 1;
        gzip_error(&bent);
    }
    // libarchive would unpack gzip within gzip.
    inspect(gzip(&whole).as_slice(), &limits).unwrap_err();
}

#[test]
fn limits_stop_the_walk() {
    let with = |change: fn(&mut ArchiveLimits), tar: Tar, words: &str| {
        let mut limits = ArchiveLimits::default();
        change(&mut limits);
        let error = inspect(tar.gz().as_slice(), &limits).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let two = || Tar::package().file("package/x", &[b'x'; 2000]);
    with(|limits| limits.unpacked_bytes = 3000, two(), "unpacked bytes");
    with(|limits| limits.entries = 1, two(), "entries");
    with(|limits| limits.path_bytes = 9, two(), "bytes of a path");
    with(|limits| limits.all_paths_bytes = 12, two(), "bytes of all paths");
    with(|limits| limits.package_json_bytes = 5, two(), "bytes of package.json");
    let bomb = || Tar::package().file("package/x", &vec![0; 3 << 20]);
    with(|limits| limits.expansion_ratio = 50, bomb(), "for each packed one");
    let header = header(b'0', b"package/x", 0o77_777_777_777);
    refused(Tar::package().raw(&header), "too early");
    let mut huge = header;
    huge[124..136].fill(b'7');
    refused(Tar::package().raw(&sign(huge)), "too early");
}

#[test]
fn a_long_readme_is_cut_between_characters() {
    let limits = ArchiveLimits { readme_bytes: 4, ..ArchiveLimits::default() };
    let tar = Tar::package().file("package/README", "aaaü".as_bytes());
    let summary = inspect(tar.gz().as_slice(), &limits).unwrap();
    assert_eq!(summary.readme.unwrap().text, "aaa");
}

proptest! {
    #[test]
    fn no_byte_makes_it_panic(at in 0usize..4096, byte: u8) {
        let mut tar = Tar::package()
            .pax(&[("path", "package/y"), ("size", "2")])
            .file("package/x", b"42")
            .raw(&[0; 1024])
            .0;
        let at = at % tar.len();
        tar[at] = byte;
        let _ = inspect(gzip(&tar).as_slice(), &ArchiveLimits::default());
    }

    #[test]
    fn arbitrary_bytes_do_not_make_it_panic(bytes: Vec<u8>) {
        let _ = inspect(bytes.as_slice(), &ArchiveLimits::default());
        let _ = inspect(gzip(&bytes).as_slice(), &ArchiveLimits::default());
    }
}
