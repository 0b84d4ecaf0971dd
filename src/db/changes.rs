//! How nodes hear of each other's changes.
//!
//! Every transaction that changes what a cache may hold sends NOTIFY on one channel. Each node listens on a connection
//! of its own, and asks it for a sign of life several times a second. A node that cannot hear is *deaf*: it asks the
//! database every time and keeps no answer, and when it hears again it forgets all that it knew (`domain.md`,
//! "Consistency between nodes").
//!
//! A node that is deaf because nobody answers at the database's address knows that too, from the same attempts: it
//! then has no request wait for a connection that will not come.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::oneshot;

use crate::names::{AccountId, PackageName};

const CHANNEL: &str = "strongroom";

/// How often the listening connection is asked for a sign of life, and how long the sign may take. Together they bound
/// how long a node can be deaf without knowing: well below the second that `domain.md` promises.
const HEARTBEAT: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_millis(500);

/// How long an attempt to listen may take before the database counts as gone, and the longest pause between two.
const CONNECT: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What changed, as small as a cache key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The package, its versions, tags, visibility or grants.
    Package(PackageName),
    /// The account: its billing flag, its members, whether it is disabled.
    Account(AccountId),
    /// A token, by the hex of its digest.
    Token(String),
    /// The advisories, some or all of them.
    Advisories,
    /// What the instance says to everybody.
    Instance,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(name) => write!(formatter, "package {name}"),
            Self::Account(id) => write!(formatter, "account {id}"),
            Self::Token(digest) => write!(formatter, "token {digest}"),
            Self::Advisories => formatter.write_str("advisories all"),
            Self::Instance => formatter.write_str("instance all"),
        }
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(' ').ok_or(())? {
            ("package", name) => name.parse().map(Self::Package).map_err(|_| ()),
            ("account", id) => id.parse().map(|id: i64| Self::Account(id.into())).map_err(|_| ()),
            ("token", digest) => Ok(Self::Token(digest.to_owned())),
            ("advisories", _) => Ok(Self::Advisories),
            ("instance", _) => Ok(Self::Instance),
            _ => Err(()),
        }
    }
}

/// What a cache does when it hears of a change; `None` means that anything may have changed.
type Listener = Box<dyn Fn(Option<&Change>) + Send + Sync>;

/// Handle to what this node hears.
#[derive(Clone, Default)]
pub struct Changes {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Odd while the node hears; grows by one each time it begins or ceases to.
    era: AtomicU64,
    /// Whether the last attempt to listen found nobody at the database's address.
    gone: AtomicBool,
    listeners: [OnceLock<Listener>; 12],
}

/// Says that the node heard everything since a moment: what was loaded since then may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing(u64);

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Changes").field("era", &self.shared.era).finish_non_exhaustive()
    }
}

impl Changes {
    /// Has `listener` called with each change from now on. At most four caches listen; each room has one or none.
    pub fn subscribe(&self, listener: impl Fn(Option<&Change>) + Send + Sync + 'static) {
        let mut listener: Listener = Box::new(listener);
        for slot in &self.shared.listeners {
            match slot.set(listener) {
                Ok(()) => return,
                Err(refused) => listener = refused,
            }
        }
        debug_assert!(false, "more caches than slots");
    }

    /// The present hearing, or `None` while the node is deaf. Take it before loading what shall be cached.
    pub fn hearing(&self) -> Option<Hearing> {
        let era = self.shared.era.load(Ordering::Acquire);
        (era % 2 == 1).then_some(Hearing(era))
    }

    /// Whether the node has heard everything since `hearing` was taken.
    pub fn still(&self, hearing: Hearing) -> bool {
        self.shared.era.load(Ordering::Acquire) == hearing.0
    }

    /// Whether the database could not be reached the last time it was tried, a moment ago.
    pub(super) fn database_is_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Relaxed)
    }

    /// Tells this node's caches of a change.
    pub fn apply(&self, change: &Change) {
        self.tell(Some(change));
    }

    fn tell(&self, change: Option<&Change>) {
        self.shared.listeners.iter().filter_map(OnceLock::get).for_each(|listener| listener(change));
    }

    pub(super) fn begin_hearing(&self) {
        self.tell(None);
        self.shared.era.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn cease_hearing(&self) {
        self.shared.era.fetch_add(1, Ordering::AcqRel);
    }

    /// Listens until the answer is dropped, on a thread of its own: a node whose other threads are busy must not take
    /// that for deafness, and grow busier still by asking the database for everything.
    pub(super) fn listen(&self, options: PgConnectOptions) -> io::Result<Listening> {
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let changes = self.clone();
        std::thread::Builder::new().name("changes".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = changes.listen_for_ever(&options) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Listening { _stop: stop })
    }

    /// A lost connection is made again with a growing pause.
    async fn listen_for_ever(&self, options: &PgConnectOptions) {
        let mut pause = Duration::from_millis(50);
        loop {
            let connected = connect(options).await;
            self.shared.gone.store(connected.as_ref().is_err_and(is_unreachable), Ordering::Relaxed);
            match connected {
                Ok(listener) => {
                    pause = Duration::from_millis(50);
                    let deafness = Deafness(self);
                    self.begin_hearing();
                    let cause = self.hear(listener).await;
                    drop(deafness);
                    tracing::warn!(%cause, "the node no longer hears changes; its caches are off");
                }
                Err(cause) => tracing::warn!(%cause, "the node cannot listen for changes yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn hear(&self, mut listener: PgListener) -> sqlx::Error {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = listener.try_recv() => match heard {
                    Ok(Some(notification)) => match notification.payload().parse() {
                        Ok(change) => self.tell(Some(&change)),
                        Err(()) => self.tell(None),
                    },
                    Ok(None) => return sqlx::Error::WorkerCrashed,
                    Err(cause) => return cause,
                },
                _ = heartbeat.tick() => {
                    match tokio::time::timeout(PATIENCE, listener.execute("select 1")).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(cause)) => return cause,
                        Err(_) => return sqlx::Error::PoolTimedOut,
                    }
                }
            }
        }
    }
}

/// The node listens for as long as this lives.
#[derive(Debug)]
pub struct Listening {
    _stop: oneshot::Sender<()>,
}

/// Makes the node deaf when dropped, also where the listening task itself is dropped.
struct Deafness<'a>(&'a Changes);

impl Drop for Deafness<'_> {
    fn drop(&mut self) {
        self.0.cease_hearing();
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT)
        .connect_with(options.clone().application_name("strongroom listener"))
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    // A connection that is lost must be seen as such, not be made again behind our back: changes were missed meanwhile.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Whether nobody answered. A database that answers with a refusal is there, and may still serve the pools.
fn is_unreachable(cause: &sqlx::Error) -> bool {
    matches!(cause, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_survives_the_wire() {
        for change in [
            Change::Package("@alice/x".parse().unwrap()),
            Change::Account(7.into()),
            Change::Token("00ff".into()),
            Change::Advisories,
            Change::Instance,
        ] {
            assert_eq!(change.to_string().parse(), Ok(change));
        }
        assert!("package lodash".parse::<Change>().is_err());
    }

    #[test]
    fn what_was_loaded_before_a_deaf_time_is_not_kept_after_it() {
        let changes = Changes::default();
        assert_eq!(changes.hearing(), None);
        changes.begin_hearing();
        let hearing = changes.hearing().unwrap();
        assert!(changes.still(hearing));
        changes.cease_hearing();
        assert!(!changes.still(hearing) && changes.hearing().is_none());
        changes.begin_hearing();
        assert!(!changes.still(hearing) && changes.hearing().is_some());
    }
}
