//! What can be done to a package, and what each deed needs.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::facts::Visibility;

/// What an actor is about to do to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read its packument, versions and tarballs: what an install does.
    Read,
    /// Read how it stands: visibility, and the packument that a client reads in order to change it. Open to an unpaid
    /// owner, whose ways out begin with such a read.
    Inspect,
    /// List who has access.
    ListCollaborators,
    /// Be told why one can or cannot read and write it oneself.
    Explain,
    /// Be told the same of somebody else.
    ExplainOthers,
    /// Take everything of it away: all that was ever published, whatever became of the plan.
    Export,
    /// Create it in its scope, before the body has said how visible it shall be.
    Create,
    /// Create it with this visibility.
    CreateAs(Visibility),
    /// Publish a version.
    Publish,
    /// Put a version up for approval; also the first one of a package that does not exist yet.
    Stage,
    /// See what was put up for approval.
    SeeStaged,
    /// Approve or reject what was put up: always with a second factor.
    ReviewStaged,
    /// Mark versions as deprecated, or take that back.
    Deprecate,
    /// Say that it goes by another name from now on, in another scope.
    Transfer,
    /// Move or remove a dist-tag other than `latest`.
    MoveTag,
    /// Move `latest`, which is what an install without a version gets.
    MoveLatest,
    /// Put a star on it, or take one's own away.
    Star,
    /// Remove a version.
    Unpublish,
    /// Remove the whole package.
    Delete,
    /// Bring back what was removed.
    Restore,
    /// Touch its collaborators at all, before the body has said which.
    ChangeCollaborators,
    /// Make it public or restricted.
    SetVisibility(Visibility),
    /// Give a user access, or raise it.
    Grant,
    /// Take access from a user.
    Revoke,
    /// Take access from oneself.
    Leave,
    /// Say whether publishing asks for a second factor.
    RequireSecondFactor,
    /// See which publishers are trusted; also before there is such a package.
    SeeTrust,
    /// Say which publishers are trusted: always with a second factor.
    SetTrust,
}

/// How much standing on the package a deed needs, from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Nothing,
    Read,
    Collaborate,
    Write,
    Administer,
}

/// Who of those with standing must be paid up, when the package is restricted or about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pays {
    Everyone,
    AllButAdministrators,
    Nobody,
}

/// When a deed asks for the second factor (`protocol.md` 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Never.
    Open,
    /// Where account or package ask for one; a machine's token may stand in.
    Change,
    /// The same, and a machine's token may not.
    Setting,
    /// Always.
    Always,
}

/// What one action needs.
pub(super) struct Needs {
    pub(super) standing: Standing,
    pub(super) pays: Pays,
    /// Changes something, so a read-only token may not.
    pub(super) changes: bool,
    /// Needs an account even on a public package.
    pub(super) account: bool,
    /// Whether it asks for the second factor.
    pub(super) guard: Guard,
    /// The visibility that the deed concerns where it is not the package's present one.
    pub(super) visibility: Option<Visibility>,
}

impl Action {
    /// Every action once, for tables and tests.
    pub const ALL: [Self; 30] = [
        Self::Read,
        Self::Inspect,
        Self::ListCollaborators,
        Self::Create,
        Self::CreateAs(Visibility::Public),
        Self::CreateAs(Visibility::Restricted),
        Self::Publish,
        Self::Stage,
        Self::SeeStaged,
        Self::ReviewStaged,
        Self::Deprecate,
        Self::Transfer,
        Self::MoveTag,
        Self::MoveLatest,
        Self::Star,
        Self::Unpublish,
        Self::Delete,
        Self::Restore,
        Self::ChangeCollaborators,
        Self::SetVisibility(Visibility::Public),
        Self::SetVisibility(Visibility::Restricted),
        Self::Grant,
        Self::Revoke,
        Self::Leave,
        Self::RequireSecondFactor,
        Self::SeeTrust,
        Self::SetTrust,
        Self::Explain,
        Self::ExplainOthers,
        Self::Export,
    ];

    /// Whether the action changes something.
    pub fn changes(self) -> bool {
        self.needs().changes
    }

    /// The action in the audit log.
    pub fn audit_name(self) -> &'static str {
        match self {
            Self::Read | Self::Inspect => "package.read",
            Self::ListCollaborators => "access.list",
            Self::Explain | Self::ExplainOthers => "access.explain",
            Self::Export => "package.export",
            Self::Create | Self::CreateAs(_) | Self::Publish => "package.publish",
            Self::Stage => "package.stage",
            Self::SeeStaged => "package.staged",
            Self::ReviewStaged => "package.review",
            Self::Deprecate => "package.deprecate",
            Self::Transfer => "package.transfer",
            Self::MoveTag | Self::MoveLatest => "package.tag",
            Self::Star => "package.star",
            Self::Unpublish => "package.unpublish",
            Self::Delete => "package.delete",
            Self::Restore => "package.restore",
            Self::ChangeCollaborators => "access.change",
            Self::SetVisibility(_) => "access.visibility",
            Self::Grant => "access.grant",
            Self::Revoke | Self::Leave => "access.revoke",
            Self::RequireSecondFactor => "access.second-factor",
            Self::SeeTrust => "trust.list",
            Self::SetTrust => "trust.change",
        }
    }

    /// Whether the action brings a package into being rather than acting on one.
    pub(super) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CreateAs(_))
    }

    /// Whether the action can concern a package that is not there: who may create one in the scope may prepare it, and
    /// bring back what was there.
    pub(super) fn may_precede(self) -> bool {
        use Action::{Restore, ReviewStaged, SeeStaged, SeeTrust, SetTrust, Stage};
        matches!(self, Stage | SeeStaged | ReviewStaged | SeeTrust | SetTrust | Restore)
    }

    pub(super) fn needs(self) -> Needs {
        use Guard::{Always, Change, Open, Setting};
        use Pays::{AllButAdministrators, Everyone, Nobody};
        use Standing::{Administer, Collaborate, Read, Write};
        let look =
            |standing, pays, account| Needs { standing, pays, changes: false, account, guard: Open, visibility: None };
        let change =
            |standing, pays, guard| Needs { standing, pays, changes: true, account: true, guard, visibility: None };
        match self {
            Self::Read => look(Read, Everyone, false),
            Self::Inspect => look(Read, AllButAdministrators, false),
            Self::ListCollaborators => look(Read, AllButAdministrators, true),
            Self::Explain => look(Read, Nobody, true),
            Self::ExplainOthers | Self::Export => look(Administer, Nobody, true),
            Self::Create => change(Write, Nobody, Change),
            Self::CreateAs(visibility) => Needs { visibility: Some(visibility), ..change(Write, Everyone, Change) },
            Self::Publish | Self::Deprecate | Self::MoveLatest => change(Write, Everyone, Change),
            Self::Transfer => change(Administer, Everyone, Change),
            Self::MoveTag | Self::Stage => change(Write, Everyone, Open),
            Self::SeeStaged => look(Write, AllButAdministrators, true),
            Self::ReviewStaged => change(Write, Everyone, Always),
            Self::Star => change(Read, Everyone, Open),
            Self::Unpublish => change(Write, AllButAdministrators, Change),
            Self::Delete | Self::Restore => change(Administer, Nobody, Change),
            Self::ChangeCollaborators | Self::Leave => change(Collaborate, Nobody, Setting),
            Self::SetVisibility(visibility) => {
                Needs { visibility: Some(visibility), ..change(Administer, Everyone, Setting) }
            }
            Self::Grant => change(Administer, Everyone, Setting),
            Self::Revoke | Self::RequireSecondFactor => change(Administer, Nobody, Setting),
            Self::SeeTrust => Needs { guard: Always, ..look(Administer, Nobody, true) },
            Self::SetTrust => change(Administer, Nobody, Always),
        }
    }
}

/// The kinds of proof that a [`super::Permit`] can be; a room's function names the one it wants.
pub trait Right: Debug {}

/// Proof that the holder may read.
#[derive(Debug)]
pub struct Read;
/// Proof that the holder may publish.
#[derive(Debug)]
pub struct Write;
/// Proof that the holder may change who sees the package and who works on it.
#[derive(Debug)]
pub struct Administer;

impl Right for Read {}
impl Right for Write {}
impl Right for Administer {}

/// An action together with the kind of permit that a yes is worth.
#[derive(Debug)]
pub struct Intent<R: Right> {
    pub(super) action: Action,
    right: PhantomData<R>,
}

impl<R: Right> Intent<R> {
    /// What is intended.
    pub fn action(self) -> Action {
        self.action
    }
}

impl<R: Right> Clone for Intent<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Right> Copy for Intent<R> {}

const fn intent<R: Right>(action: Action) -> Intent<R> {
    Intent { action, right: PhantomData }
}

impl Intent<Read> {
    /// See [`Action::Read`].
    pub const READ: Self = intent(Action::Read);
    /// See [`Action::Inspect`].
    pub const INSPECT: Self = intent(Action::Inspect);
    /// See [`Action::ListCollaborators`].
    pub const LIST_COLLABORATORS: Self = intent(Action::ListCollaborators);
    /// See [`Action::Explain`].
    pub const EXPLAIN: Self = intent(Action::Explain);
    /// See [`Action::ExplainOthers`].
    pub const EXPLAIN_OTHERS: Self = intent(Action::ExplainOthers);
    /// See [`Action::Export`].
    pub const EXPORT: Self = intent(Action::Export);
    /// See [`Action::Star`]: who may read may say so.
    pub const STAR: Self = intent(Action::Star);
    /// See [`Action::SeeStaged`].
    pub const SEE_STAGED: Self = intent(Action::SeeStaged);
    /// See [`Action::ChangeCollaborators`]: worth no more than a look, since the change itself is asked about later.
    pub const CHANGE_COLLABORATORS: Self = intent(Action::ChangeCollaborators);
}

impl Intent<Write> {
    /// See [`Action::Create`].
    pub const CREATE: Self = intent(Action::Create);
    /// See [`Action::Publish`].
    pub const PUBLISH: Self = intent(Action::Publish);
    /// See [`Action::Stage`].
    pub const STAGE: Self = intent(Action::Stage);
    /// See [`Action::ReviewStaged`].
    pub const REVIEW_STAGED: Self = intent(Action::ReviewStaged);
    /// See [`Action::Deprecate`].
    pub const DEPRECATE: Self = intent(Action::Deprecate);
    /// See [`Action::MoveTag`].
    pub const MOVE_TAG: Self = intent(Action::MoveTag);
    /// See [`Action::MoveLatest`].
    pub const MOVE_LATEST: Self = intent(Action::MoveLatest);
    /// See [`Action::Unpublish`].
    pub const UNPUBLISH: Self = intent(Action::Unpublish);

    /// See [`Action::CreateAs`].
    pub const fn create_as(visibility: Visibility) -> Self {
        intent(Action::CreateAs(visibility))
    }
}

impl Intent<Administer> {
    /// See [`Action::Delete`].
    pub const DELETE: Self = intent(Action::Delete);
    /// See [`Action::Restore`].
    pub const RESTORE: Self = intent(Action::Restore);
    /// See [`Action::Transfer`].
    pub const TRANSFER: Self = intent(Action::Transfer);
    /// See [`Action::RequireSecondFactor`].
    pub const REQUIRE_SECOND_FACTOR: Self = intent(Action::RequireSecondFactor);
    /// See [`Action::SeeTrust`].
    pub const SEE_TRUST: Self = intent(Action::SeeTrust);
    /// See [`Action::SetTrust`].
    pub const SET_TRUST: Self = intent(Action::SetTrust);
    /// See [`Action::Grant`].
    pub const GRANT: Self = intent(Action::Grant);
    /// See [`Action::Revoke`].
    pub const REVOKE: Self = intent(Action::Revoke);
    /// See [`Action::Leave`]: administers nothing but the actor's own grant.
    pub const LEAVE: Self = intent(Action::Leave);

    /// See [`Action::SetVisibility`].
    pub const fn set_visibility(visibility: Visibility) -> Self {
        intent(Action::SetVisibility(visibility))
    }
}
