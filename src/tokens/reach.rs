//! How far a token reaches, as its columns have it.

use crate::error::{Error, Result};
use crate::policy::{Narrowing, OrganizationReach, OrganizationRight, TokenRight, TrustedDeeds};

/// The columns of `tokens` that make a [`Narrowing`].
pub(super) struct ReachRow {
    /// What the release before reads in place of all others; here it narrows what else would be everything.
    pub(super) read_only: bool,
    pub(super) packages: Vec<String>,
    pub(super) networks: Vec<String>,
    pub(super) package_right: String,
    pub(super) trusted_deeds: Vec<String>,
    pub(super) organization_right: String,
    pub(super) organizations: Vec<String>,
    pub(super) bypasses_second_factor: bool,
}

impl ReachRow {
    pub(super) fn of(narrowing: &Narrowing) -> Self {
        fn texts<T: ToString>(values: &[T]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        Self {
            read_only: narrowing.right != TokenRight::Everything,
            packages: texts(&narrowing.packages),
            networks: texts(&narrowing.networks),
            package_right: narrowing.right.as_str().to_owned(),
            trusted_deeds: deeds(narrowing.right),
            organization_right: organization_text(narrowing.organizations.right).to_owned(),
            organizations: texts(&narrowing.organizations.names),
            bypasses_second_factor: narrowing.bypasses_second_factor,
        }
    }

    /// A narrowing that cannot be read must not become none at all.
    pub(super) fn into_narrowing(self) -> Result<Narrowing> {
        fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
            texts: &[String],
        ) -> Result<Vec<T>> {
            texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(Error::internal)
        }
        let right = match self.package_right.as_str() {
            "everything" if self.read_only => TokenRight::ReadOnly,
            "everything" => TokenRight::Everything,
            "read-only" => TokenRight::ReadOnly,
            "stage-only" => TokenRight::StageOnly,
            "trusted" => TokenRight::Trusted(trusted(&self.trusted_deeds)),
            _ => TokenRight::Nothing,
        };
        let organization_right = match self.organization_right.as_str() {
            "write" if right == TokenRight::ReadOnly => OrganizationRight::Read,
            "write" => OrganizationRight::Write,
            "read" => OrganizationRight::Read,
            _ => OrganizationRight::Nothing,
        };
        Ok(Narrowing {
            right,
            packages: parsed(&self.packages)?,
            networks: parsed(&self.networks)?,
            organizations: OrganizationReach { right: organization_right, names: parsed(&self.organizations)? },
            bypasses_second_factor: self.bypasses_second_factor,
        })
    }
}

fn organization_text(right: OrganizationRight) -> &'static str {
    match right {
        OrganizationRight::Nothing => "nothing",
        OrganizationRight::Read => "read",
        OrganizationRight::Write => "write",
    }
}

fn deeds(right: TokenRight) -> Vec<String> {
    let TokenRight::Trusted(deeds) = right else { return Vec::new() };
    let all = [("publish", deeds.publish), ("stage", deeds.stage), ("tags", deeds.tags)];
    all.into_iter().filter(|(_, may)| *may).map(|(word, _)| word.to_owned()).collect()
}

fn trusted(words: &[String]) -> TrustedDeeds {
    let has = |word: &str| words.iter().any(|one| one == word);
    TrustedDeeds { publish: has("publish"), stage: has("stage"), tags: has("tags") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reach_survives_its_columns() {
        let trusted = TokenRight::Trusted(TrustedDeeds { publish: true, stage: false, tags: true });
        for right in [TokenRight::Everything, TokenRight::StageOnly, TokenRight::Nothing, trusted] {
            let narrowing = Narrowing {
                right,
                packages: vec!["@acme/*".parse().unwrap()],
                networks: vec!["10.0.0.0/8".parse().unwrap()],
                organizations: OrganizationReach {
                    right: OrganizationRight::Read,
                    names: vec!["acme".parse().unwrap()],
                },
                bypasses_second_factor: true,
            };
            assert_eq!(ReachRow::of(&narrowing).into_narrowing().unwrap(), narrowing);
        }
        assert_eq!(ReachRow::of(&Narrowing::read_only()).into_narrowing().unwrap(), Narrowing::read_only());
    }

    #[test]
    fn a_read_only_token_of_the_release_before_stays_read_only() {
        let row = ReachRow { read_only: true, ..ReachRow::of(&Narrowing::default()) };
        assert_eq!(row.into_narrowing().unwrap(), Narrowing::read_only());
    }
}
