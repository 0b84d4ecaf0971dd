//! Making files survive a power failure, and warning where they will not.

use std::fs::File;
use std::io;
use std::path::Path;

/// Writes everything below `directory` to the disk.
#[cfg(target_os = "linux")]
pub(super) fn sync_tree(directory: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(directory)?)?)
}

/// Writes everything to the disk; there is no call for one file system here.
#[cfg(not(target_os = "linux"))]
pub(super) fn sync_tree(_directory: &Path) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Makes the names in `directory` durable, such as one just given by a rename.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Names the file system of `directory` if it is one that databases have been lost on.
#[cfg(target_os = "linux")]
pub(super) fn doubtful_file_system(directory: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(directory).ok()?.f_type;
    // The kernel's numbers have 32 bits; the field is wider, and signed on some machines.
    match u32::try_from(kind & 0xFFFF_FFFF).ok()? {
        0x0000_6969 => Some("NFS"),
        0x0000_517B | 0xFF53_4D42 | 0xFE53_4D42 => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x00C3_6400 => Some("Ceph"),
        0x6573_5546 => Some("FUSE"),
        0x794C_7630 => Some("an overlay, such as the layers of a container,"),
        _ => None,
    }
}

/// Elsewhere nothing is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn doubtful_file_system(_directory: &Path) -> Option<&'static str> {
    None
}
