//! A dependency tree as old clients send it: the shape of a lock file, packages inside the packages that hold them.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::Value;

use crate::advisories::Installed;

/// The tree, and what the project itself asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Tree {
    #[serde(default)]
    requires: Value,
    #[serde(default)]
    dependencies: BTreeMap<String, Held>,
}

/// A package where it lies.
#[derive(Debug, Default, Deserialize)]
struct Held {
    version: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    bundled: bool,
    #[serde(default)]
    requires: Value,
    #[serde(default)]
    dependencies: BTreeMap<String, Held>,
}

/// One package of the tree, and how the project comes to need it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) bundled: bool,
    /// The packages that lead to it, itself last: the shortest way that there is, of which the last [`STEPS`] are kept.
    pub(super) path: Vec<&'a str>,
}

/// The longest way that is told. Real trees have some twenty steps; a made-up one could have as many as it has packages,
/// and the ways together would then be the square of that.
const STEPS: usize = 50;

/// A package with its place among the others.
struct Node<'a> {
    name: &'a str,
    held: &'a Held,
    holder: Option<usize>,
    inside: BTreeMap<&'a str, usize>,
    /// The package through which it is needed; itself the holder, where nobody says to need it.
    through: Option<usize>,
    reached: bool,
}

impl Tree {
    /// Every package of the tree with its versions.
    pub(super) fn installed(&self) -> Installed {
        let mut installed = Installed::new();
        for node in self.nodes() {
            if let Some(version) = &node.held.version {
                installed.entry(node.name.to_owned()).or_default().push(version.clone());
            }
        }
        for versions in installed.values_mut() {
            versions.sort_unstable();
            versions.dedup();
        }
        installed
    }

    /// Every package of the tree, in the order of the tree.
    pub(super) fn places(&self) -> Vec<Place<'_>> {
        let mut nodes = self.nodes();
        find_ways(&mut nodes, &names(&self.requires));
        (0..nodes.len()).map(|at| place(&nodes, at)).collect()
    }

    /// The tree laid out flat; holders come before what they hold.
    fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes: Vec<Node<'_>> = Vec::new();
        let mut waiting: VecDeque<(Option<usize>, &BTreeMap<String, Held>)> = [(None, &self.dependencies)].into();
        while let Some((holder, held_inside)) = waiting.pop_front() {
            for (name, held) in held_inside {
                let at = nodes.len();
                if let Some(holder) = holder {
                    nodes[holder].inside.insert(name, at);
                }
                nodes.push(Node { name, held, holder, inside: BTreeMap::new(), through: holder, reached: false });
                waiting.push_back((Some(at), &held.dependencies));
            }
        }
        nodes
    }
}

/// The names in a `requires`, which lists ranges by name, or says nothing but `true`.
fn names(requires: &Value) -> Vec<&str> {
    requires.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str).collect()
}

/// Walks from what the project asks for to what that needs, nearest first.
fn find_ways<'a>(nodes: &mut [Node<'a>], wanted: &[&str]) {
    let roots: BTreeMap<&'a str, usize> =
        nodes.iter().enumerate().filter(|(_, node)| node.holder.is_none()).map(|(at, node)| (node.name, at)).collect();
    let mut waiting: VecDeque<usize> = wanted.iter().filter_map(|name| roots.get(name).copied()).collect();
    for at in &waiting {
        nodes[*at].reached = true;
    }
    while let Some(at) = waiting.pop_front() {
        for name in names(&nodes[at].held.requires) {
            let Some(needed) = resolve(nodes, &roots, at, name).filter(|needed| !nodes[*needed].reached) else {
                continue;
            };
            nodes[needed].reached = true;
            nodes[needed].through = Some(at);
            waiting.push_back(needed);
        }
    }
}

/// The package that a name means to the package at `at`: the nearest one, as node finds it.
fn resolve(nodes: &[Node<'_>], roots: &BTreeMap<&str, usize>, at: usize, name: &str) -> Option<usize> {
    let mut looking = Some(at);
    while let Some(here) = looking {
        if let Some(found) = nodes[here].inside.get(name) {
            return Some(*found);
        }
        looking = nodes[here].holder;
    }
    roots.get(name).copied()
}

fn place<'a>(nodes: &[Node<'a>], at: usize) -> Place<'a> {
    let Node { name, held, .. } = nodes[at];
    let mut path = vec![name];
    let mut through = nodes[at].through;
    while let Some(before) = through.filter(|_| path.len() < STEPS) {
        path.push(nodes[before].name);
        through = nodes[before].through;
    }
    path.reverse();
    let version = held.version.as_deref().unwrap_or_default();
    Place { name, version, dev: held.dev, optional: held.optional, bundled: held.bundled, path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_to_each_place_is_found_as_node_resolves() {
        let tree: Tree = serde_json::from_str(
            r#"{"requires": {"a": "1", "b": "1"}, "dependencies": {
                "a": {"version": "1.0.0", "requires": {"c": "1", "d": "1"}},
                "b": {"version": "1.0.0", "requires": {"c": "2"}, "dependencies": {
                    "c": {"version": "2.0.0", "requires": {"d": "1"}}}},
                "c": {"version": "1.0.0", "requires": {"a": "1"}},
                "d": {"version": "1.0.0", "dev": true, "requires": true},
                "left-over": {"version": "1.0.0", "dependencies": {"e": {"version": "1.0.0"}}}
            }}"#,
        )
        .unwrap();
        let ways: Vec<_> =
            tree.places().iter().map(|place| format!("{} {}", place.path.join(">"), place.version)).collect();
        assert_eq!(
            ways,
            ["a 1.0.0", "b 1.0.0", "a>c 1.0.0", "a>d 1.0.0", "left-over 1.0.0", "b>c 2.0.0", "left-over>e 1.0.0"]
        );
        assert_eq!(tree.installed()["c"], ["1.0.0", "2.0.0"]);
    }

    #[test]
    fn a_chain_of_many_packages_is_told_in_part() {
        let chain = (0..20_000).map(|at| {
            let held = serde_json::json!({ "version": "1.0.0", "requires": { format!("p{}", at + 1): "1" } });
            (format!("p{at}"), held)
        });
        let dependencies: serde_json::Map<_, _> = chain.collect();
        let tree = serde_json::json!({ "requires": { "p0": "1" }, "dependencies": dependencies });
        let tree: Tree = serde_json::from_value(tree).unwrap();
        let places = tree.places();
        assert_eq!(places.len(), 20_000);
        assert!(places.iter().all(|place| place.path.len() <= STEPS && place.path.last() == Some(&place.name)));
    }

    #[test]
    fn an_empty_tree_is_one() {
        let tree: Tree = serde_json::from_str("{}").unwrap();
        assert!(tree.places().is_empty());
        assert!(tree.installed().is_empty());
    }
}
