//! The story in chapters. Each is told to every client, with people and packages that no other chapter knows.

mod billing;
mod identity;
mod installing;
mod privacy;
mod publishing;
mod signatures;
mod tokens;
mod visibility;

use crate::cast::Stage;
use crate::telling::Telling;

/// A part of the story.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    pub(crate) tell: fn(&Stage<'_>, &mut Telling),
}

/// In the order of the table.
pub(crate) const ALL: &[Chapter] = &[
    Chapter { name: "identity", tell: identity::tell },
    Chapter { name: "tokens", tell: tokens::tell },
    Chapter { name: "privacy", tell: privacy::tell },
    Chapter { name: "visibility", tell: visibility::tell },
    Chapter { name: "billing", tell: billing::tell },
    Chapter { name: "publishing", tell: publishing::tell },
    Chapter { name: "installing", tell: installing::tell },
    Chapter { name: "signatures", tell: signatures::tell },
];
