//! What somebody searches for, taken apart (`protocol.md` 8.1).

/// The longest text that is read.
const MOST_CHARACTERS: usize = 256;

/// A search text: words, and qualifiers such as `scope:acme`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Query {
    /// The free words as they stand.
    words: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) authors: Vec<String>,
    pub(super) maintainers: Vec<String>,
    pub(super) keywords: Vec<String>,
    pub(super) without_keywords: Vec<String>,
    /// Versions below 1.0.0, or prereleases.
    pub(super) unstable: Option<bool>,
    /// Packages with an open advisory, none of which is known of here.
    pub(super) insecure: Option<bool>,
    /// Packages that are deprecated as a whole: left out unless asked for.
    pub(super) deprecated: Option<bool>,
    pub(super) public: Option<bool>,
    pub(super) no_exact_boost: bool,
}

/// The text is longer than anyone would write.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("A search text has at most {MOST_CHARACTERS} characters. Search for fewer words.")]
pub struct TooLong;

impl Query {
    /// Takes a text apart.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn parse(text: &str) -> Result<Self, TooLong> {
        if text.chars().count() > MOST_CHARACTERS {
            return Err(TooLong);
        }
        let mut query = Self::default();
        for word in text.split_whitespace() {
            let qualified = word.split_once(':').filter(|(_, value)| !value.is_empty());
            if !qualified.is_some_and(|(key, value)| query.qualify(&key.to_lowercase(), &value.to_lowercase())) {
                query.words.push(word.to_lowercase());
            }
        }
        Ok(query)
    }

    /// The same, narrowed by one more qualifier such as `scope:acme`.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.qualify(key, &value.to_lowercase());
        self
    }

    /// What was searched for word by word, for telling where it was found.
    pub fn sought_pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces()
    }

    /// Takes in a qualifier; tells whether it is one.
    fn qualify(&mut self, key: &str, value: &str) -> bool {
        match key {
            "scope" => self.scopes.push(format!("@{}", value.trim_start_matches('@'))),
            "author" => self.authors.push(value.to_owned()),
            "maintainer" => self.maintainers.push(value.trim_start_matches('~').to_owned()),
            "keywords" => value.split(',').for_each(|one| match one.strip_prefix('-') {
                Some(unwanted) => self.without_keywords.push(unwanted.to_owned()),
                None => self.keywords.push(one.to_owned()),
            }),
            "is" => return self.restrict(value, true),
            "not" => return self.restrict(value, false),
            "boost-exact" => self.no_exact_boost = value == "false",
            _ => return false,
        }
        true
    }

    fn restrict(&mut self, what: &str, wanted: bool) -> bool {
        match what {
            "unstable" => self.unstable = Some(wanted),
            "insecure" => self.insecure = Some(wanted),
            "deprecated" => self.deprecated = Some(wanted),
            "public" => self.public = Some(wanted),
            "private" | "restricted" => self.public = Some(!wanted),
            _ => return false,
        }
        true
    }

    /// The free words, for what is compared as a whole: a name.
    pub(super) fn sought(&self) -> String {
        self.words.join(" ")
    }

    /// The free words as Postgres searches for them: each is the start of one, and all must be there. Only letters and
    /// digits remain, so nothing in it has a meaning of its own.
    pub(super) fn tsquery(&self) -> String {
        let pieces = self.pieces().map(|piece| format!("'{piece}':*"));
        pieces.collect::<Vec<_>>().join(" & ")
    }

    fn pieces(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().flat_map(|word| word.split(|one: char| !one.is_alphanumeric()));
        words.filter(|piece| !piece.is_empty())
    }

    /// Whether there are words, and none with a letter or digit in it: then nothing fits, rather than everything.
    pub(super) fn says_nothing_searchable(&self) -> bool {
        !self.words.is_empty() && self.pieces().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_apart_into_words_and_qualifiers() {
        let query =
            Query::parse("Vault @acme/one scope:acme keywords:a,-b,c is:unstable not:insecure node:fs").unwrap();
        assert_eq!(query.sought(), "vault @acme/one node:fs");
        assert_eq!(query.tsquery(), "'vault':* & 'acme':* & 'one':* & 'node':* & 'fs':*");
        assert_eq!((query.scopes, query.keywords), (vec!["@acme".to_owned()], vec!["a".to_owned(), "c".into()]));
        assert_eq!(query.without_keywords, ["b"]);
        assert_eq!((query.unstable, query.insecure, query.deprecated), (Some(true), Some(false), None));
    }

    #[test]
    fn nothing_in_a_text_is_taken_for_an_operator() {
        let query = Query::parse("a'b & !c | (d):* <-> \\ %_").unwrap();
        assert_eq!(query.tsquery(), "'a':* & 'b':* & 'c':* & 'd':*");
        assert!(Query::parse("!!! '").unwrap().says_nothing_searchable());
        assert!(!Query::parse("").unwrap().says_nothing_searchable());
    }

    #[test]
    fn a_text_has_an_end() {
        assert!(Query::parse(&"é".repeat(256)).is_ok());
        assert_eq!(Query::parse(&"é".repeat(257)), Err(TooLong));
    }
}
