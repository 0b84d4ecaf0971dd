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
    /// Create it in its scope, before the body has said how visible it shall be.
    Create,
    /// Create it with this visibility.
    CreateAs(Visibility),
    /// Publish a version, move a tag, deprecate.
    Publish,
    /// Remove a version.
    Unpublish,
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

/// What one action needs.
pub(super) struct Needs {
    pub(super) standing: Standing,
    pub(super) pays: Pays,
    /// Changes something, so a read-only token may not.
    pub(super) changes: bool,
    /// Needs an account even on a public package.
    pub(super) account: bool,
    /// The visibility that the deed concerns where it is not the package's present one.
    pub(super) visibility: Option<Visibility>,
}

impl Action {
    /// Every action once, for tables and tests.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::Inspect,
        Self::ListCollaborators,
        Self::Create,
        Self::CreateAs(Visibility::Public),
        Self::CreateAs(Visibility::Restricted),
        Self::Publish,
        Self::Unpublish,
        Self::ChangeCollaborators,
        Self::SetVisibility(Visibility::Public),
        Self::SetVisibility(Visibility::Restricted),
        Self::Grant,
        Self::Revoke,
        Self::Leave,
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
            Self::Create | Self::CreateAs(_) | Self::Publish => "package.publish",
            Self::Unpublish => "package.unpublish",
            Self::ChangeCollaborators => "access.change",
            Self::SetVisibility(_) => "access.visibility",
            Self::Grant => "access.grant",
            Self::Revoke | Self::Leave => "access.revoke",
        }
    }

    /// Whether the action brings a package into being rather than acting on one.
    pub(super) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CreateAs(_))
    }

    pub(super) fn needs(self) -> Needs {
        use Pays::{AllButAdministrators, Everyone, Nobody};
        use Standing::{Administer, Collaborate, Read, Write};
        let read = |pays, account| Needs { standing: Read, pays, changes: false, account, visibility: None };
        let change = |standing, pays| Needs { standing, pays, changes: true, account: true, visibility: None };
        match self {
            Self::Read => read(Everyone, false),
            Self::Inspect => read(AllButAdministrators, false),
            Self::ListCollaborators => read(AllButAdministrators, true),
            Self::Create => change(Write, Nobody),
            Self::CreateAs(visibility) => Needs { visibility: Some(visibility), ..change(Write, Everyone) },
            Self::Publish => change(Write, Everyone),
            Self::Unpublish => change(Write, AllButAdministrators),
            Self::ChangeCollaborators | Self::Leave => change(Collaborate, Nobody),
            Self::SetVisibility(visibility) => Needs { visibility: Some(visibility), ..change(Administer, Everyone) },
            Self::Grant => change(Administer, Everyone),
            Self::Revoke => change(Administer, Nobody),
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
    /// See [`Action::ChangeCollaborators`]: worth no more than a look, since the change itself is asked about later.
    pub const CHANGE_COLLABORATORS: Self = intent(Action::ChangeCollaborators);
}

impl Intent<Write> {
    /// See [`Action::Create`].
    pub const CREATE: Self = intent(Action::Create);
    /// See [`Action::Publish`].
    pub const PUBLISH: Self = intent(Action::Publish);
    /// See [`Action::Unpublish`].
    pub const UNPUBLISH: Self = intent(Action::Unpublish);

    /// See [`Action::CreateAs`].
    pub const fn create_as(visibility: Visibility) -> Self {
        intent(Action::CreateAs(visibility))
    }
}

impl Intent<Administer> {
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
