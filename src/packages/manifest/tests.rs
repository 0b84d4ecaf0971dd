//! Honest rewritings and lies, and the stored texts.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::packages::archive::ArchiveSummary;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        value => panic!("{value} is no object"),
    }
}

/// Compares two objects that need no name and version of their own.
fn fields(manifest: Value, package_json: Value) -> Vec<String> {
    let differences = compare(&object(manifest), &object(package_json));
    differences.into_iter().map(|difference| difference.field).collect()
}

#[track_caller]
fn same(manifest: Value, package_json: Value) {
    assert_eq!(fields(manifest, package_json), [""; 0]);
}

#[track_caller]
fn differs(manifest: Value, package_json: Value, expected: &str) {
    assert_eq!(fields(manifest, package_json), [expected]);
}

#[test]
fn names_and_versions_are_cleaned() {
    same(json!({"name":"@a/b","version":"1.0.0"}), json!({"name":" @a/b ","version":" =v1.0.0+x"}));
    differs(json!({"name":"@a/b"}), json!({"name":"@a/c"}), "name");
    differs(json!({"name":"@a/b"}), json!({}), "name");
    differs(json!({"version":"1.0.0"}), json!({"version":"1.0.1"}), "version");
    differs(json!({"version":"1.0.0"}), json!({"version":1}), "version");
}

#[test]
fn every_kind_of_dependency_is_compared() {
    for kind in ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies", "acceptDependencies"] {
        let one = |range: &str| json!({kind: {"x": range}, "other": 1});
        same(one("^1"), one(" ^1 "));
        differs(one("^1"), one("^2"), &format!("{kind}.x"));
        differs(json!({}), one("^1"), &format!("{kind}.x"));
        for empty in [json!({}), json!(null), json!([]), json!(false), json!("")] {
            same(json!({kind: empty}), json!({}));
            same(json!({}), json!({kind: empty}));
        }
        if kind != "devDependencies" {
            differs(one("^1"), json!({}), &format!("{kind}.x"));
        }
    }
    // A tool has tidied package.json while packing.
    same(json!({"devDependencies":{"x":"1"}}), json!({}));
    differs(json!({"devDependencies":{"x":"1","y":"1"}}), json!({"devDependencies":{"x":"1"}}), "devDependencies.y");
    differs(json!({"peerDependenciesMeta":{"x":{"optional":true}}}), json!({}), "peerDependenciesMeta");
}

#[test]
fn odd_dependencies_are_read_as_npm_does() {
    let clean = json!({"dependencies":{"a":"1","b":"","c":">=2"}});
    same(clean.clone(), json!({"dependencies":["a@1","b","c >=2",7]}));
    same(clean.clone(), json!({"dependencies":"a@1, b c>=2"}));
    same(clean, json!({"dependencies":{"a":"1","b":"","c":">=2","d":1,"e":null}}));
}

#[test]
fn optional_dependencies_may_move_but_not_change() {
    let tarball = json!({"dependencies":{"a":"1","o":"1"},"optionalDependencies":{"o":"3","p":"2"}});
    for dependencies in [json!({"a":"1"}), json!({"a":"1","o":"1"}), json!({"a":"1","o":"3","p":"2"})] {
        same(json!({"dependencies":dependencies,"optionalDependencies":{"o":"3","p":"2"}}), tarball.clone());
    }
    let lie = json!({"dependencies":{"a":"1","o":"evil"},"optionalDependencies":{"o":"3","p":"2"}});
    differs(lie, tarball, "dependencies.o");
}

#[test]
fn bundles_are_lists_of_names() {
    let list = json!({"dependencies":{"a":"1"},"bundleDependencies":["a"]});
    same(list.clone(), json!({"dependencies":{"a":"1"},"bundledDependencies":["a"]}));
    same(list.clone(), json!({"dependencies":{"a":"1"},"bundleDependencies":true}));
    same(list.clone(), json!({"dependencies":{"a":"1"},"bundleDependencies":{"a":"x"}}));
    same(json!({"dependencies":{"a":"1"}}), json!({"dependencies":{"a":"1"},"bundleDependencies":true}));
    same(json!({"bundleDependencies":[]}), json!({"bundleDependencies":false}));
    same(json!({"dependencies":{"a":"*"},"bundleDependencies":["a"]}), json!({"bundledDependencies":["a"]}));
    differs(json!({"dependencies":{"a":"1"}}), list.clone(), "bundleDependencies");
    differs(list, json!({"dependencies":{"a":"1"}}), "bundleDependencies");
    differs(json!({"dependencies":{"a":"*"}}), json!({}), "dependencies.a");
}

#[test]
fn scripts_are_the_same_but_for_what_npm_adds() {
    same(json!({"scripts":{"install":"node-gyp rebuild","start":"node server.js"}}), json!({}));
    same(json!({"scripts":{"x":"foo y"}}), json!({"scripts":{"x":"./node_modules/.bin/foo y","z":1}}));
    differs(json!({"scripts":{"install":"curl"}}), json!({}), "scripts.install");
    differs(json!({}), json!({"scripts":{"postinstall":"curl"}}), "scripts.postinstall");
    differs(
        json!({"scripts":{"install":"node-gyp rebuild"}}),
        json!({"scripts":{"install":"curl"}}),
        "scripts.install",
    );
}

#[test]
fn commands_lose_their_folders_and_their_ways_out() {
    let map = json!({"name":"@a/cli","bin":{"cli":"bin/cli.js"}});
    same(map.clone(), json!({"name":"@a/cli","bin":"./bin/cli.js"}));
    same(map.clone(), json!({"name":"@a/cli","bin":{"cli":"/bin//../bin/./cli.js"}}));
    same(map.clone(), json!({"name":"@a/cli","bin":{"../cli":"bin/cli.js"}}));
    same(json!({"name":"@a/cli","bin":{"@a/cli":"bin/cli.js"}}), map.clone());
    same(json!({"bin":{"x.js":"x.js"}}), json!({"bin":["./x.js"]}));
    same(json!({"bin":{}}), json!({"bin":""}));
    // yarn 1 drops what it finds doubtful.
    same(json!({"bin":{"a":"a.js"}}), json!({"bin":{"a":"a.js","../b":"b.js","c":"../c.js"}}));
    differs(json!({"bin":{"a":"a.js"}}), json!({"bin":{"a":"a.js","b":"b.js"}}), "bin.b");
    differs(map, json!({"name":"@a/cli","bin":{"cli":"bin/evil.js"}}), "bin.cli");
    differs(json!({"bin":{"npm":"a.js"}}), json!({}), "bin.npm");
}

#[test]
fn a_folder_of_commands_may_be_expanded() {
    let tarball = json!({"directories":{"bin":"./bin/"}});
    let expanded = json!({"x.js":"bin/x.js","z.js":"bin/sub/z.js","sub":"bin/sub"});
    same(json!({"directories":{"bin":"bin"},"bin":expanded}), tarball.clone());
    same(json!({"bin":{"x.js":"bin//x.js"}}), tarball.clone());
    same(tarball.clone(), tarball.clone());
    differs(json!({}), tarball.clone(), "directories.bin");
    differs(tarball.clone(), json!({}), "directories.bin");
    differs(json!({"bin":{"npm":"bin/x.js"}}), tarball.clone(), "bin.npm");
    differs(json!({"bin":{"x":"binary/x"}}), tarball, "bin.x");
}

#[test]
fn engines_and_platforms_are_compared() {
    same(json!({"engines":{"node":">=4"}}), json!({"engines":["node >=4"]}));
    same(json!({"os":"linux","cpu":[]}), json!({"os":["linux"]}));
    differs(json!({"engines":{"node":">=4"}}), json!({}), "engines.node");
    for field in ["os", "cpu", "libc"] {
        differs(json!({field:["a"]}), json!({field:["a","b"]}), field);
    }
}

#[test]
fn an_error_names_the_first_differences() {
    let manifest = object(json!({"name":"a","version":"1.0.0","scripts":{"x":"1"},"os":["linux"]}));
    let package_json = object(json!({"name":"b","version":"1.0.1"}));
    let error = check_same(&manifest, &package_json).unwrap_err().to_string();
    assert_text(
        &error,
        r#"the manifest differs from the tarball's package.json: name is "a" in the manifest, "b" in the tarball; version is "1.0.0" in the manifest, "1.0.1" in the tarball; scripts.x is "1" in the manifest, absent in the tarball; and 1 more"#,
    );
}

#[track_caller]
fn assert_text(actual: &str, expected: &str) {
    assert_eq!(actual, expected);
}

/// Specifiers and what npm 11 makes of them.
const SPECIFIERS: &[(&str, &str)] = &[
    ("user/repo", "github:user/repo"),
    ("user/repo.git", "github:user/repo"),
    ("user/repo#v1", "github:user/repo#v1"),
    ("github:user/repo", "github:user/repo"),
    ("github:user/repo.git#x", "github:user/repo#x"),
    ("git@github.com:user/repo.git", "git+ssh://git@github.com/user/repo.git"),
    ("git@github.com:user/repo", "git+ssh://git@github.com/user/repo.git"),
    ("git+ssh://git@github.com/user/repo.git#a", "git+ssh://git@github.com/user/repo.git#a"),
    ("git+ssh://git@github.com:user/repo.git", "git+ssh://git@github.com/user/repo.git"),
    ("ssh://git@github.com/user/repo", "git+ssh://git@github.com/user/repo.git"),
    ("ssh://git@github.com:user/repo", "git+ssh://git@github.com/user/repo.git"),
    ("https://github.com/user/repo", "git+https://github.com/user/repo.git"),
    ("https://www.github.com/user/repo.git#semver:^1", "git+https://github.com/user/repo.git#semver:^1"),
    ("http://github.com/user/repo.git", "git+ssh://git@github.com/user/repo.git"),
    ("git://github.com/user/repo.git#v1", "git://github.com/user/repo.git#v1"),
    ("git+https://github.com/user/repo", "git+https://github.com/user/repo.git"),
    ("https://u:p@github.com/user/repo", "git+https://u:p@github.com/user/repo.git"),
    ("https://github.com/user/repo/", "git+https://github.com/user/repo.git"),
    ("https://github.com/user/repo/tree/v2", "git+https://github.com/user/repo.git#v2"),
    ("https://github.com/user/repo/tree/feature/x", "git+https://github.com/user/repo.git#feature"),
    ("https://github.com/user/repo/blob/x/y", "https://github.com/user/repo/blob/x/y"),
    ("https://github.com/user", "https://github.com/user"),
    ("gitlab:user/repo", "gitlab:user/repo"),
    ("gitlab:a/b/c", "gitlab:a/b/c"),
    ("https://gitlab.com/a/b/c.git", "git+https://gitlab.com/a/b/c.git"),
    ("https://gitlab.com/a/b/-/archive/x.tgz", "https://gitlab.com/a/b/-/archive/x.tgz"),
    ("https://gitlab.com/a/b/repository/archive.tar.gz", "https://gitlab.com/a/b/repository/archive.tar.gz"),
    ("bitbucket:user/repo", "bitbucket:user/repo"),
    ("https://bitbucket.org/user/repo", "git+https://bitbucket.org/user/repo.git"),
    ("https://bitbucket.org/user/repo/src/master", "git+https://bitbucket.org/user/repo.git"),
    ("gist:11081aaa281", "gist:11081aaa281"),
    ("gist:user/11081aaa281", "gist:11081aaa281"),
    ("https://gist.github.com/user/11081aaa281.git", "git+https://gist.github.com/11081aaa281.git"),
    ("git@gist.github.com:11081aaa281.git", "git+ssh://git@gist.github.com/11081aaa281.git"),
    ("https://git.sr.ht/~user/repo", "https://git.sr.ht/~user/repo"),
    ("sourcehut:~user/repo", "sourcehut:~user/repo"),
    ("npm:a@1", "npm:a@1"),
    ("^1", "^1"),
    ("*", "*"),
    ("latest", "latest"),
    ("file:../x", "file:../x"),
    ("./x/y", "./x/y"),
    ("../a/b", "../a/b"),
    ("~/a", "github:~/a"),
    ("/a/b", "/a/b"),
    ("a/b/c", "a/b/c"),
    ("@s/x", "@s/x"),
    ("link:a/b", "link:a/b"),
    ("workspace:*", "workspace:*"),
    ("https://example.com/u/r.git", "https://example.com/u/r.git"),
    ("user/repo#", "github:user/repo"),
    ("user/repo#a#b", "github:user/repo#a#b"),
    ("user/re po", "user/re po"),
    ("git+http://github.com/user/repo", "git+http://github.com/user/repo"),
    ("https://GitHub.com/user/repo", "git+https://github.com/user/repo.git"),
    ("git@github.com/user/repo", "git+ssh://git@github.com/user/repo.git"),
    ("github.com/user/repo", "github.com/user/repo"),
    ("git+ssh://github.com/user/repo", "git+ssh://git@github.com/user/repo.git"),
    ("user:pw@github.com/user/repo", "git+ssh://git@github.com/user/repo.git"),
    (">=1.0.0 <2/x", ">=1.0.0 <2/x"),
    ("github:u:p@user/repo", "github:user/repo"),
    ("user/repo#a b", "github:user/repo#a b"),
    ("1.x || 2/3", "1.x || 2/3"),
];

#[test]
fn a_specifier_and_what_npm_makes_of_it_are_one() {
    for (written, rewritten) in SPECIFIERS {
        assert_eq!(hosted::canonical(written), hosted::canonical(rewritten), "{written}");
    }
}

#[test]
fn other_repositories_stay_others() {
    let places = [
        "user/repo",
        "user/repo#v1",
        "user/other",
        "gitlab:user/repo",
        "git://github.com/user/repo",
        "https://github.com/user/repo",
        "git@github.com:user/repo",
        "https://evil@github.com/user/repo",
        "https://github.com.evil/user/repo",
        "user/repo.js",
    ];
    let all: std::collections::HashSet<_> = places.iter().map(|place| hosted::canonical(place)).collect();
    assert_eq!(all.len(), places.len());
}

#[test]
fn package_json_is_parsed_strictly() {
    assert_eq!(parse_package_json("\u{feff}{\"a\":1}".as_bytes()).unwrap(), object(json!({"a":1})));
    for text in ["", "[]", "{\"a\":1,\"a\":1}", "{\"a\":1e999}", "{} x", "{\"a\":\"\\ud800\"}", "// hi\n{}"] {
        parse_package_json(text.as_bytes()).unwrap_err();
    }
}

#[test]
fn announced_hashes_must_be_right() {
    let check = |dist: Value| check_dist(&object(json!({"dist":dist})), &[0; 64], &[0xAB; 20]).is_ok();
    let sha512 = format!("sha512-{}==", "A".repeat(86));
    let sha1 = "sha1-q6urq6urq6urq6urq6urq6urq6s=";
    assert!(check_dist(&Object::new(), &[0; 64], &[0; 20]).is_ok());
    assert!(check(json!({})) && check(json!({"integrity":null})));
    assert!(check(json!({"integrity":sha512,"shasum":"AB".repeat(20),"tarball":"http://localhost/x"})));
    assert!(check(json!({"integrity":format!("sha384-x  {sha1}?opt {sha512}")})));
    assert!(!check(json!({"integrity":format!("{sha512} sha1-AAAA")})));
    assert!(!check(json!({"integrity":"sha384-x"})) && !check(json!({"integrity":""})));
    assert!(!check(json!({"integrity":1})) && !check(json!({"shasum":"ab"})));
    assert!(!check(json!({"shasum":format!("+b{}", "ab".repeat(19))})));
}

#[test]
fn the_stored_texts_hold_what_is_the_publishers_to_say() {
    let manifest = object(json!({
        "name":"@a/b","version":"1.0.0","description":"d","bin":"./x.js","bundledDependencies":["c"],
        "dependencies":{"c":"1","n":1},"peerDependenciesMeta":null,"deprecated":"","scripts":{"test":"t","n":1},
        "readme":"long","readmeFilename":"README.md","_id":"other","_npmVersion":"11","_npmUser":{"name":"root"},
        "_rev":"1","maintainers":["root"],"dist":{"tarball":"http://localhost"},"hasInstallScript":true,
        "_hasShrinkwrap":true,"integrity":"x","gitHead":"0123"
    }));
    let stored = stored(&manifest, &manifest, &ArchiveSummary::default());
    assert_text(
        &stored.full,
        r#"{"name":"@a/b","version":"1.0.0","description":"d","bin":{"b":"x.js"},"bundleDependencies":["c"],"dependencies":{"c":"1"},"scripts":{"test":"t"},"readmeFilename":"README.md","_npmVersion":"11","gitHead":"0123","_id":"@a/b@1.0.0","_hasShrinkwrap":false}"#,
    );
    assert_text(
        &stored.abbreviated,
        r#"{"name":"@a/b","version":"1.0.0","bin":{"b":"x.js"},"bundleDependencies":["c"],"dependencies":{"c":"1"},"_hasShrinkwrap":false}"#,
    );
}

#[test]
fn commands_and_bundles_that_a_client_left_out_are_stored() {
    let package_json = object(json!({"bin":{"../a":"a.js"},"dependencies":{"d":"1"},"bundleDependencies":true}));
    let manifest = object(json!({"dependencies":{"d":"1"}}));
    check_same(&manifest, &package_json).unwrap();
    let stored = stored(&manifest, &package_json, &ArchiveSummary::default());
    assert_text(
        &stored.abbreviated,
        r#"{"dependencies":{"d":"1"},"bin":{"a":"a.js"},"bundleDependencies":["d"],"_hasShrinkwrap":false}"#,
    );
    let manifest = object(json!({"bin":{"x":"bin/x"}}));
    let package_json = object(json!({"directories":{"bin":"bin"}}));
    let stored = super::stored(&manifest, &package_json, &ArchiveSummary::default());
    assert!(stored.full.contains(r#""bin":{"x":"bin/x"}"#));
}

#[test]
fn install_scripts_are_told_by_the_tarball() {
    let look = |package_json: Value, has_root_binding_gyp| {
        let archive = ArchiveSummary { has_root_binding_gyp, ..ArchiveSummary::default() };
        let package_json = object(package_json);
        let stored = stored(&package_json, &package_json, &archive);
        assert_eq!(stored.full.contains("hasInstallScript"), stored.has_install_script);
        stored.has_install_script
    };
    assert!(!look(json!({"scripts":{"test":"x","prepare":"x","install":1}}), false));
    assert!(look(json!({}), true));
    for name in ["preinstall", "install", "postinstall"] {
        assert!(look(json!({"scripts":{name:"x"}}), false));
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z@/:.#~^ =v0-9]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z@/.]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_manifest() -> impl Strategy<Value = Object> {
    let name = prop::sample::select(vec![
        "name",
        "version",
        "dependencies",
        "optionalDependencies",
        "bundledDependencies",
        "bundleDependencies",
        "scripts",
        "bin",
        "directories",
        "engines",
        "os",
        "deprecated",
        "peerDependenciesMeta",
    ]);
    prop::collection::btree_map(name, any_json(), 0..8)
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn whatever_it_holds_a_manifest_equals_itself_and_what_is_stored_of_it(manifest in any_manifest()) {
        prop_assert_eq!(compare(&manifest, &manifest), []);
        let stored = stored(&manifest, &manifest, &ArchiveSummary::default());
        let full = parse_package_json(stored.full.as_bytes()).unwrap();
        prop_assert_eq!(compare(&full, &manifest), []);
        let again = super::stored(&full, &full, &ArchiveSummary::default());
        prop_assert_eq!(again.full, stored.full);
    }
}
