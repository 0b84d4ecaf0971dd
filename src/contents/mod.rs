//! Contents: the files of versions, shown one by one, and what differs between two versions.
//!
//! Nothing is ever unpacked to a disk. A file is read by running through its tarball up to the place that the index made
//! at publish names; that is work for one thread, bounded in bytes and in how many do it at once, so that looking at
//! packages never keeps an install waiting. Who may look is decided where [`VersionFiles`] are had.

mod deadline;
mod diff;
mod folder;
mod held;
mod highlight;
mod image;
mod unpack;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::blobs::Blobs;
use crate::error::{Error, Result};
use crate::packages::VersionFiles;
use crate::packages::archive::FileEntry;

use held::{Room, hold};

pub use deadline::Deadline;
pub use diff::{Change, DiffLine, FileChange, Hunk, Lines, Side, VersionDiff};
pub use folder::{Node, list};
pub use highlight::{Budget, highlight_named, plain_line, push_escaped};
pub use image::ImageKind;

/// The largest text that is shown on a page.
pub const TEXT_BYTES: u64 = 512 << 10;

/// The longest text that is shown on a page: each of its lines weighs more on the page than in the file.
const MOST_LINES: usize = 20_000;

/// The largest file that is handed out by itself; whoever wants a larger one takes the tarball.
pub const RAW_BYTES: u64 = 16 << 20;

/// The largest image that a README shows.
const IMAGE_BYTES: u64 = 8 << 20;

/// Pages about packages that are made at once: fewer than there are connections for reads, so that installs always find
/// one.
const PAGES_AT_ONCE: usize = 3;

/// How long a page waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long colouring one file may take, and how much of it is coloured.
const COLOURING: Duration = Duration::from_millis(400);
const COLOURED_BYTES: usize = 256 << 10;

/// Handle to the files of versions.
#[derive(Debug, Clone)]
pub struct Contents {
    blobs: Blobs,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    room: Room,
}

/// A file as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// Text: each line as HTML, escaped and perhaps coloured.
    Text(Vec<String>),
    /// Not text.
    Binary,
    /// More than [`TEXT_BYTES`], or than twenty thousand lines.
    TooLarge,
}

impl Contents {
    /// Sets the room up.
    pub fn new(blobs: Blobs) -> Self {
        // Half of the cores at most: the other half answers installs.
        let at_once = std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
        Self {
            blobs,
            turns: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(PAGES_AT_ONCE)),
            room: Room::new(),
        }
    }

    /// A place among those who look at packages; held while a page asks the database.
    ///
    /// # Errors
    /// `Unavailable` where too many do at once.
    pub async fn place(&self) -> Result<OwnedSemaphorePermit> {
        wait_for(&self.places).await
    }

    /// A file, ready to be shown.
    ///
    /// # Errors
    /// `Unavailable` where the storage fails, or too many look at files at once.
    pub async fn show(&self, version: &VersionFiles, file: &FileEntry) -> Result<Shown> {
        if !file.is_text {
            return Ok(Shown::Binary);
        }
        if file.size > TEXT_BYTES {
            return Ok(Shown::TooLarge);
        }
        let path = file.path.clone();
        let lines = move |bytes: Vec<u8>| {
            let budget = Budget::new(COLOURED_BYTES, COLOURING);
            if memchr::memchr_iter(b'\n', &bytes).count() > MOST_LINES {
                return Shown::TooLarge;
            }
            Shown::Text(highlight::lines_of_file(&path, &String::from_utf8_lossy(&bytes), &budget))
        };
        self.with_file(version, file, lines).await
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `TooLarge` above [`RAW_BYTES`]; else as [`Contents::show`].
    pub async fn bytes(&self, version: &VersionFiles, file: &FileEntry) -> Result<Bytes> {
        if file.size > RAW_BYTES {
            let sentence = format!("{} is larger than what is handed out by itself. Take the tarball.", file.path);
            return Err(Error::TooLarge(sentence.chars().take(300).collect::<String>().into()));
        }
        let room = self.room.take(file.size)?;
        self.with_file(version, file, |bytes| hold(bytes, room)).await
    }

    /// The bytes of an image, if that is what the file holds and what its name says.
    ///
    /// # Errors
    /// As [`Contents::show`].
    pub async fn image(&self, version: &VersionFiles, file: &FileEntry) -> Result<Option<(ImageKind, Bytes)>> {
        let Some(kind) = ImageKind::of_path(&file.path).filter(|_| file.size <= IMAGE_BYTES) else { return Ok(None) };
        let room = self.room.take(file.size)?;
        let bytes = self.with_file(version, file, |bytes| hold(bytes, room)).await?;
        Ok(kind.fits(&bytes).then_some((kind, bytes)))
    }

    /// What differs between two versions.
    ///
    /// # Errors
    /// As [`Contents::show`].
    pub async fn diff(&self, old: &VersionFiles, new: &VersionFiles) -> Result<VersionDiff> {
        let turn = self.turn().await?;
        let old_blob = self.blobs.read(&old.tarball.digest, old.tarball.size_bytes).await?;
        let new_blob = self.blobs.read(&new.tarball.digest, new.tarball.size_bytes).await?;
        let (old, new) = (old.index.clone(), new.index.clone());
        run(turn, move || diff::compare(Side::new(&old, old_blob), Side::new(&new, new_blob))).await?
    }

    async fn with_file<T: Send + 'static>(
        &self,
        version: &VersionFiles,
        file: &FileEntry,
        work: impl FnOnce(Vec<u8>) -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn().await?;
        let blob = self.blobs.read(&version.tarball.digest, version.tarball.size_bytes).await?;
        let place = unpack::Place::of(file);
        run(turn, move || {
            let bytes = unpack::pick(blob.into_reader(), &[place])?.pop().unwrap_or_default();
            Ok(work(bytes))
        })
        .await?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        wait_for(&self.turns).await
    }
}

async fn wait_for(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    match tokio::time::timeout(PATIENCE, places.clone().acquire_owned()).await {
        Ok(place) => place.map_err(Error::internal),
        Err(_) => Err(Error::Unavailable("too many people look at packages at once".into())),
    }
}

/// Works where blocking is allowed. The turn goes along: whoever asked may be gone before the work is done.
async fn run<T: Send + 'static>(turn: OwnedSemaphorePermit, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(Error::internal)
}
