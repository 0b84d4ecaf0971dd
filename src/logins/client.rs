//! What a terminal is, in words.

/// The words of npm's clients for operating systems, and people's.
const SYSTEMS: [(&str, &str); 6] = [
    ("linux", "linux"),
    ("darwin", "macOS"),
    ("win32", "Windows"),
    ("freebsd", "FreeBSD"),
    ("openbsd", "OpenBSD"),
    ("android", "Android"),
];

const MOST_CHARACTERS: usize = 24;

/// Makes `npm 11 on linux` of `npm/11.19.1 node/v20.20.2 linux x64`; it is what the terminal says of itself, no more.
pub fn describe_client(user_agent: &str) -> String {
    let mut words = user_agent.split_ascii_whitespace();
    let first = words.next().and_then(|word| word.split_once('/'));
    let program = first.and_then(|(name, version)| {
        let major: String = version.chars().take_while(char::is_ascii_digit).collect();
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let fits = !name.is_empty() && is_plain(name) && name.len() + major.len() < MOST_CHARACTERS;
        fits.then(|| format!("{name} {major}").trim_end().to_owned())
    });
    let program = program.unwrap_or_else(|| "a terminal".to_owned());
    match words.find_map(|word| SYSTEMS.iter().find(|(theirs, _)| *theirs == word)) {
        Some((_, system)) => format!("{program} on {system}"),
        None => program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_by_name_major_and_system() {
        for (agent, words) in [
            ("npm/11.19.1 node/v20.20.2 linux x64 workspaces/false ci/github-actions", "npm 11 on linux"),
            ("pnpm/12.21.0 npm/? node/? darwin arm64", "pnpm 12 on macOS"),
            ("vlt/1.0.0-rc.1 node/v22", "vlt 1"),
            ("got (https://github.com/sindresorhus/got)", "a terminal"),
            ("<script>/1", "a terminal"),
            ("", "a terminal"),
        ] {
            assert_eq!(describe_client(agent), words);
        }
    }
}
