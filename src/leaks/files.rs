//! Files that are a secret as a whole, by their names alone.

/// Endings of files that hold keys or passwords and nothing else.
const ENDINGS: [(&str, &str); 8] = [
    (".p12", "key store"),
    (".pfx", "key store"),
    (".jks", "key store"),
    (".keystore", "key store"),
    (".kdbx", "password safe"),
    (".ppk", "private key"),
    (".tfstate", "Terraform state, which holds secrets in clear"),
    (".ovpn", "VPN profile"),
];

/// Whole names.
const NAMES: [(&str, &str); 14] = [
    ("id_rsa", "private key"),
    ("id_dsa", "private key"),
    ("id_ecdsa", "private key"),
    ("id_ed25519", "private key"),
    (".htpasswd", "password file"),
    (".pgpass", "password file"),
    (".netrc", "password file"),
    ("_netrc", "password file"),
    (".git-credentials", "password file"),
    (".dockercfg", "registry credentials"),
    (".bash_history", "shell history"),
    (".zsh_history", "shell history"),
    (".node_repl_history", "shell history"),
    (".s3cfg", "storage credentials"),
];

/// Ends of paths.
const PATHS: [(&str, &str); 3] = [
    (".aws/credentials", "AWS credentials"),
    (".docker/config.json", "registry credentials"),
    (".kube/config", "cluster credentials"),
];

/// What a file must be, by its name; it may still be empty.
pub(super) fn by_name(path: &str) -> Option<&'static str> {
    let path = path.to_lowercase();
    let name = name_of(&path);
    let by_name = NAMES.iter().find(|(wanted, _)| *wanted == name);
    let by_ending = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
    let by_path = PATHS.iter().find(|(end, _)| path == *end || path.ends_with(&format!("/{end}")));
    by_name.or(by_ending).or(by_path).map(|(_, kind)| *kind)
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether assignments in the file are what an environment gets; examples are written to go out.
pub(super) fn is_environment(path: &str) -> bool {
    let name = name_of(path).to_lowercase();
    let harmless = ["example", "sample", "template", "dist", "defaults", "schema", "tpl", "js", "ts", "mjs", "cjs"];
    let is_harmless = |part: &str| harmless.contains(&part);
    let is_environment = name.starts_with(".env.") || name.rsplit_once('.').is_some_and(|(_, ending)| ending == "env");
    is_environment && !name.split('.').any(is_harmless)
}

/// Whether the file configures how a client reaches a registry.
pub(super) fn is_client_configuration(path: &str) -> bool {
    matches!(name_of(path).to_lowercase().as_str(), ".npmrc" | "npmrc" | ".yarnrc" | ".yarnrc.yml" | "bunfig.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        for path in ["id_rsa", "keys/id_ed25519", "cert/server.p12", "x/.aws/credentials", ".HTPASSWD", "a.tfstate"] {
            assert!(by_name(path).is_some(), "{path}");
        }
        for path in ["id_rsa.pub", "lib/credentials", "config.json", "index.js", "htpasswd.js", "server.crt"] {
            assert!(by_name(path).is_none(), "{path}");
        }
    }

    #[test]
    fn examples_of_environments_are_made_to_go_out() {
        for path in [".env", ".env.production", "config/.env.local", "prod.env"] {
            assert!(is_environment(path), "{path}");
        }
        for path in [".env.example", ".env.sample", ".env.production.template", "env.js", ".env.d.ts", "environment"] {
            assert!(!is_environment(path), "{path}");
        }
    }
}
