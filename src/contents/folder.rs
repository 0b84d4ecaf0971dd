//! One folder of a package.

use crate::packages::FileIndex;
use crate::packages::archive::FileEntry;

/// What stands in a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// A folder, with how many files are below it and how many bytes those are.
    Folder {
        /// Its name.
        name: &'a str,
        /// Files below it.
        files: usize,
        /// Their bytes.
        size: u64,
    },
    /// A file.
    File {
        /// Its name.
        name: &'a str,
        /// The file.
        file: &'a FileEntry,
    },
}

/// What stands in the folder at `path`, folders first, each in the order of the names; the top folder is the empty path.
/// `None` where there is no such folder.
pub fn list<'a>(index: &'a FileIndex, path: &str) -> Option<Vec<Node<'a>>> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let files = index.below(&prefix);
    if files.is_empty() && !path.is_empty() {
        return None;
    }
    let mut folders: Vec<Node<'a>> = Vec::new();
    let mut plain = Vec::new();
    for file in files {
        let inner = file.path.get(prefix.len()..).unwrap_or_default();
        match inner.split_once('/') {
            None => plain.push(Node::File { name: inner, file }),
            Some((folder, _)) => match folders.last_mut() {
                Some(Node::Folder { name, files, size }) if *name == folder => {
                    *files += 1;
                    *size += file.size;
                }
                _ => folders.push(Node::Folder { name: folder, files: 1, size: file.size }),
            },
        }
    }
    folders.extend(plain);
    Some(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_what_stands_in_it() {
        let file = |path: &str| FileEntry { path: path.into(), size: 2, offset: 0, is_text: true, sha256: [0; 32] };
        let index = FileIndex::new(["lib/a/x.js", "lib/b.js", "lib/a/y.js", "lib.js", "z"].map(file).to_vec());
        let names = |path: &str| {
            let nodes = list(&index, path)?.into_iter().map(|node| match node {
                Node::Folder { name, files, size } => format!("{name}/ {files} {size}"),
                Node::File { name, .. } => name.to_owned(),
            });
            Some(nodes.collect::<Vec<_>>())
        };
        assert_eq!(names("").unwrap(), ["lib/ 3 6", "lib.js", "z"]);
        assert_eq!(names("lib").unwrap(), ["a/ 2 4", "b.js"]);
        assert_eq!(names("lib/a").unwrap(), ["x.js", "y.js"]);
        assert!(names("li").is_none() && names("lib.js").is_none() && names("lib/").is_none());
        assert!(list(&FileIndex::default(), "").unwrap().is_empty());
    }
}
