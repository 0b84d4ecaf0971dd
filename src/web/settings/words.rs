//! What a token may do, said as one would say it.

use crate::policy::{Narrowing, OrganizationRight, TokenRight};

/// "read @acme/*", "everything you can".
pub(super) fn may(narrowing: &Narrowing) -> String {
    if narrowing.is_whole() {
        return "everything you can".into();
    }
    let deeds = [packages(narrowing), organizations(narrowing)];
    let deeds: Vec<String> = deeds.into_iter().flatten().collect();
    let mut text = deeds.join("; ");
    if narrowing.bypasses_second_factor {
        text.push_str("; without a second factor");
    }
    text
}

/// "from anywhere", "only from 10.0.0.0/8".
pub(super) fn from_where(narrowing: &Narrowing) -> String {
    match &narrowing.networks[..] {
        [] => "from anywhere".into(),
        networks => format!("only from {}", list(networks)),
    }
}

fn packages(narrowing: &Narrowing) -> Option<String> {
    let all = "every package you can";
    let named = &narrowing.packages;
    let text = |verb: &str, otherwise: &str| {
        if named.is_empty() { otherwise.to_owned() } else { format!("{verb} {}", list(named)) }
    };
    match narrowing.right {
        TokenRight::Nothing => None,
        TokenRight::Everything => Some(text("read, publish and manage", &format!("read, publish and manage {all}"))),
        TokenRight::ReadOnly => Some(text("read", &format!("read {all} read"))),
        TokenRight::StageOnly => Some(text(
            "read, and put versions up for approval, of",
            "read every package you can, and put versions up for approval",
        )),
        TokenRight::Trusted(_) => Some(text("publish, for a CI that is trusted,", "publish, for a CI that is trusted")),
    }
}

fn organizations(narrowing: &Narrowing) -> Option<String> {
    let reach = &narrowing.organizations;
    let whose = match &reach.names[..] {
        [] => "your organizations".to_owned(),
        names => list(names),
    };
    match reach.right {
        OrganizationRight::Nothing => None,
        OrganizationRight::Read => Some(format!("see members and teams of {whose}")),
        OrganizationRight::Write => Some(format!("manage members and teams of {whose}")),
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    match &texts[..] {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => texts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::OrganizationReach;

    use super::*;

    #[test]
    fn a_token_is_described_by_what_it_may() {
        assert_eq!(may(&Narrowing::default()), "everything you can");
        assert_eq!(
            may(&Narrowing::read_only()),
            "read every package you can read; see members and teams of your organizations"
        );
        let ci = Narrowing {
            packages: vec!["@ada/x".parse().unwrap(), "@acme/*".parse().unwrap()],
            organizations: OrganizationReach { right: OrganizationRight::Nothing, names: Vec::new() },
            bypasses_second_factor: true,
            networks: vec!["10.0.0.0/8".parse().unwrap()],
            ..Narrowing::default()
        };
        assert_eq!(may(&ci), "read, publish and manage @ada/x and @acme/*; without a second factor");
        assert_eq!(from_where(&ci), "only from 10.0.0.0/8");
    }
}
