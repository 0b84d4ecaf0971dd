//! What secrets look like.
//!
//! Each rule wants more than a prefix: the right length, the right alphabet, and characters that look drawn by lot.
//! Whoever is told of a hundred things that are none does not look at the one that is.

mod keys;
mod settings;
mod tokens;

use super::files;

/// Everything that the rules know in a file: where it begins, and what it is, in the order of the places.
pub(super) fn find_all(path: &str, text: &[u8]) -> Vec<(usize, &'static str)> {
    let mut found = keys::find(text);
    found.extend(tokens::find(text));
    if files::is_environment(path) {
        found.extend(settings::first_assignment(text));
    }
    if files::is_client_configuration(path) {
        found.extend(settings::registry_credentials(text));
    }
    found.extend(settings::passwords_in_urls(text));
    // Stable: of several that begin at one place the more telling stays in front.
    found.sort_by_key(|(offset, _)| *offset);
    found
}
