//! The application: builds every room once, in rank order.

mod readiness;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::postgres::PgConnectOptions;

use crate::access::Access;
use crate::advisories::Advisories;
use crate::billing::{self, Billing};
use crate::blobs::Blobs;
use crate::chores::Board;
use crate::clock::Clock;
use crate::config::Config;
use crate::contents::Contents;
use crate::db::Db;
use crate::dependencies::Dependencies;
use crate::downloads::Downloads;
use crate::exports::{self, Exports};
use crate::feeds::Feeds;
use crate::hooks::{self, Hooks};
use crate::http::{HoldsTokens, LargeBodies, Throttle};
use crate::instance::Instance;
use crate::invitations::{self, Invitations};
use crate::leaks::Leaks;
use crate::logins::Logins;
use crate::mail::Mail;
use crate::notices::Notices;
use crate::organizations::Organizations;
use crate::outgoing::Outgoing;
use crate::packages::{Packages, Parts, TrustedRoots};
use crate::readmes::Readmes;
use crate::recovery::{self, Recovery};
use crate::search::Search;
use crate::second_factor::SecondFactor;
use crate::signatures::Signatures;
use crate::staging::Staging;
use crate::tokens::Tokens;
use crate::trust::Trust;
use crate::users::Users;
use crate::vault::{Vault, VaultKey};

/// Every room, ready for use. Faces hold it; rooms never do.
#[derive(Debug)]
pub struct App {
    /// The configuration it was built from.
    pub config: Config,
    /// The URL that clients use, without a slash at its end.
    pub public_url: Arc<str>,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub db: Db,
    /// Secrets that must be read again.
    pub vault: Vault,
    /// Package files.
    pub blobs: Blobs,
    /// Requests to addresses that users or operators named.
    pub outgoing: Outgoing,
    /// Letters.
    pub mail: Mail,
    /// Accounts.
    pub users: Users,
    /// The instance itself.
    pub instance: Instance,
    /// The second factor.
    pub second_factor: SecondFactor,
    /// The billing flag.
    pub billing: Billing,
    /// Tokens.
    pub tokens: Tokens,
    /// Forgotten passwords and unproven addresses.
    pub recovery: Recovery,
    /// Terminals that wait to be logged in.
    pub logins: Logins,
    /// Visibility and collaborators.
    pub access: Access,
    /// Registry signatures.
    pub signatures: Signatures,
    /// Organizations and teams.
    pub organizations: Organizations,
    /// Invitations.
    pub invitations: Invitations,
    /// Packages.
    pub packages: Packages,
    /// The files of versions.
    pub contents: Contents,
    /// What READMEs look like.
    pub readmes: Readmes,
    /// Who needs whom.
    pub dependencies: Dependencies,
    /// What should not go out with a package.
    pub leaks: Leaks,
    /// Versions that wait for approval.
    pub staging: Staging,
    /// Search.
    pub search: Search,
    /// Download counts.
    pub downloads: Downloads,
    /// Feeds of what is public.
    pub feeds: Feeds,
    /// Known vulnerabilities.
    pub advisories: Advisories,
    /// Bodies with dependency trees.
    pub large_bodies: LargeBodies,
    /// Hooks.
    pub hooks: Hooks,
    /// Notices by mail.
    pub notices: Notices,
    /// Trusted publishers.
    pub trust: Trust,
    /// Everything of an account to take away.
    pub exports: Exports,
    /// Login attempts.
    pub throttle: Throttle,
    /// How the background work goes.
    pub board: Board,
    stopping: AtomicBool,
    finding: readiness::Finding,
}

impl App {
    /// Builds the rooms. Connects to nothing yet.
    ///
    /// # Errors
    /// The file system's, where the folder for package files or the key of secrets cannot be made, or the certificates not
    /// be read.
    pub fn new(config: Config, database: PgConnectOptions, clock: Clock) -> io::Result<Self> {
        let db = Db::new(database, &config.database);
        let vault = Vault::new(&VaultKey::load(&config).map_err(io::Error::other)?);
        let blobs = Blobs::open(&config.blob_dir(), config.cache.tarball_bytes)?;
        let outgoing = Outgoing::new(&config.outgoing)?;
        let public_url: Arc<str> = public_url(&config).into();
        let certificates = config.outgoing.certificates.as_deref();
        let mail = Mail::new(db.clone(), clock.clone(), vault.clone(), &config.mail, certificates, &public_url);
        let mail = mail.map_err(io::Error::other)?;
        let first_flag = billing::first_flag(config.billing.provider);
        let users = Users::new(db.clone(), clock.clone(), &config.auth, first_flag);
        let instance = Instance::new(db.clone(), clock.clone(), users.clone(), &config);
        let second_factor =
            SecondFactor::new(db.clone(), clock.clone(), users.clone(), vault.clone(), public_url.clone());
        let billing = Billing::new(db.clone(), clock.clone(), &config, &outgoing, public_url.clone());
        let tokens = Tokens::new(db.clone(), clock.clone(), users.clone()).map_err(io::Error::other)?;
        let recovery = Recovery::new(recovery::Parts {
            db: db.clone(),
            clock: clock.clone(),
            users: users.clone(),
            instance: instance.clone(),
            second_factor: second_factor.clone(),
            tokens: tokens.clone(),
            mail: mail.clone(),
            public_url: public_url.clone(),
        });
        let logins = Logins::new(db.clone(), clock.clone(), tokens.clone(), public_url.clone());
        let access = Access::new(db.clone(), clock.clone(), tokens.clone(), second_factor.clone(), public_url.clone());
        let signatures = Signatures::new(db.clone(), clock.clone(), vault.clone(), access.clone());
        let trusted_roots = match &config.provenance.trusted_roots {
            Some(path) => TrustedRoots::read(path)?,
            None => TrustedRoots::default(),
        };
        let organizations = Organizations::new(
            db.clone(),
            clock.clone(),
            users.clone(),
            second_factor.clone(),
            tokens.clone(),
            access.clone(),
            config.limits.organizations_per_user,
        );
        let invitations = Invitations::new(invitations::Parts {
            db: db.clone(),
            clock: clock.clone(),
            users: users.clone(),
            instance: instance.clone(),
            tokens: tokens.clone(),
            access: access.clone(),
            organizations: organizations.clone(),
            mail: mail.clone(),
            public_url: public_url.clone(),
        });
        let parts = Parts {
            db: db.clone(),
            clock: clock.clone(),
            users: users.clone(),
            access: access.clone(),
            signatures: signatures.clone(),
            blobs: blobs.clone(),
            trusted_roots,
            public_url: public_url.clone(),
        };
        let packages = Packages::new(parts, &config.limits, &config.packages, &config.cache);
        let contents = Contents::new(blobs.clone());
        let readmes = Readmes::new(db.clone(), &config.readmes);
        let dependencies = Dependencies::new(db.clone(), access.clone());
        let leaks = Leaks::new(packages.clone(), blobs.clone());
        let staging =
            Staging::new(db.clone(), clock.clone(), access.clone(), packages.clone(), blobs.clone(), &config.staging);
        let search = Search::new(db.clone(), clock.clone());
        let downloads = Downloads::new(db.clone(), clock.clone());
        let feeds = Feeds::new(db.clone());
        let advisories = Advisories::new(db.clone(), clock.clone(), access.clone());
        let hooks = Hooks::new(hooks::Parts {
            db: db.clone(),
            clock: clock.clone(),
            users: users.clone(),
            access: access.clone(),
            packages: packages.clone(),
            vault: vault.clone(),
            outgoing: outgoing.clone(),
        });
        let notices =
            Notices::new(db.clone(), clock.clone(), instance.clone(), access.clone(), mail.clone(), public_url.clone());
        let trust = Trust::new(
            db.clone(),
            clock.clone(),
            tokens.clone(),
            access.clone(),
            outgoing.clone(),
            &config.trust,
            &audiences(&public_url),
        );
        let exports = Exports::new(exports::Parts {
            db: db.clone(),
            clock: clock.clone(),
            users: users.clone(),
            second_factor: second_factor.clone(),
            tokens: tokens.clone(),
            access: access.clone(),
            organizations: organizations.clone(),
            packages: packages.clone(),
            public_url: public_url.clone(),
        });
        let throttle = Throttle::new(config.limits.login_per_minute);
        Ok(Self {
            public_url,
            clock,
            db,
            vault,
            blobs,
            outgoing,
            mail,
            users,
            instance,
            second_factor,
            billing,
            tokens,
            recovery,
            logins,
            access,
            signatures,
            organizations,
            invitations,
            packages,
            contents,
            readmes,
            dependencies,
            leaks,
            staging,
            search,
            downloads,
            feeds,
            advisories,
            large_bodies: LargeBodies::default(),
            hooks,
            notices,
            trust,
            exports,
            throttle,
            board: Board::default(),
            config,
            stopping: AtomicBool::new(false),
            finding: readiness::Finding::default(),
        })
    }
}

impl HoldsTokens for Arc<App> {
    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn second_factor(&self) -> &SecondFactor {
        &self.second_factor
    }

    fn throttle(&self) -> &Throttle {
        &self.throttle
    }
}

impl App {
    /// Says that the process is about to end: it is no longer ready for new requests.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether [`App::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The configured URL, or the listen address; an unspecified address is not one that a client could use.
fn public_url(config: &Config) -> String {
    if let Some(url) = &config.server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let listen = config.server.listen;
    let reachable = if listen.ip().is_unspecified() { [127, 0, 0, 1].into() } else { listen.ip() };
    format!("http://{}", SocketAddr::new(reachable, listen.port()))
}

/// Whom clients ask a CI for tokens for: npm and pnpm the registry's host, yarn its host and port (`protocol.md` 7.5).
fn audiences(public_url: &str) -> Vec<String> {
    let url: http::Uri = public_url.parse().unwrap_or_default();
    let host = url.host().map(|host| format!("npm:{host}"));
    let with_port = url.port().and(url.authority()).map(|authority| format!("npm:{authority}"));
    host.into_iter().chain(with_port).collect()
}
