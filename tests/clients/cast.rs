//! What a chapter is played on and by: the server, one client, and people of its own.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::client::Client;
use crate::person::Person;
use crate::server::Server;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "every strongroom has one door";

/// One chapter's surroundings. Its accounts have names that no other chapter and no other client has.
pub(crate) struct Stage<'a> {
    pub(crate) server: &'a Server,
    pub(crate) client: &'a Client,
    chapter: &'static str,
    folder: TempDir,
    folders: Cell<u32>,
}

/// The people of most chapters.
pub(crate) struct Cast<'a> {
    /// Owns the packages.
    pub(crate) alice: Person<'a>,
    /// Is let in.
    pub(crate) bob: Person<'a>,
    /// Paid, and not let in.
    pub(crate) carol: Person<'a>,
    /// Without an account.
    pub(crate) nobody: Person<'a>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(server: &'a Server, client: &'a Client, chapter: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { server, client, chapter, folder, folders: Cell::new(0) }
    }

    /// A new empty folder.
    pub(crate) fn new_folder(&self) -> PathBuf {
        let number = self.folders.replace(self.folders.get() + 1);
        let folder = self.folder.path().join(number.to_string());
        fs::create_dir(&folder).expect("a folder");
        folder
    }

    /// The account name of a role in this chapter.
    pub(crate) fn account(&self, role: &str) -> String {
        format!("{role}-{}-{}", self.client.slug(), self.chapter)
    }

    /// Someone without an account, or without having logged in.
    pub(crate) fn stranger(&'a self, role: &str) -> Person<'a> {
        Person::new(self, self.account(role))
    }

    /// Someone with an account, and no plan, whose npm holds a token.
    pub(crate) fn unpaid(&'a self, role: &str) -> Person<'a> {
        let person = self.stranger(role);
        self.server.create_user(&person.name, PASSWORD);
        person.hold_token(&self.server.create_token(&person.name, &[]));
        person
    }

    /// Someone with an account and a plan, whose npm holds a token.
    pub(crate) fn paid(&'a self, role: &str) -> Person<'a> {
        let person = self.unpaid(role);
        self.server.set_paid(&person.name);
        person
    }

    /// Alice, Bob, Carol and nobody.
    pub(crate) fn cast(&'a self) -> Cast<'a> {
        Cast {
            alice: self.paid("alice"),
            bob: self.paid("bob"),
            carol: self.paid("carol"),
            nobody: self.stranger("nobody"),
        }
    }
}
