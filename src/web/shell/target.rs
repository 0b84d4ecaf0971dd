//! Where a browser is sent after it logged in: a page of this host, and nowhere else (`security.md` 4.3).

/// A path of this host with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(String);

impl Target {
    /// Reads a target; what leads anywhere else, or to no page, is the home page.
    pub(crate) fn read(text: &str) -> Self {
        let is_path = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/-/");
        let is_plain = text.len() <= 2000 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        Self(if is_path && is_plain { text.to_owned() } else { "/".to_owned() })
    }

    /// The path and query.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_away() {
        for text in
            ["", "evil", "//evil.test", "/\\evil.test", "https://evil.test", "/a\r\nb", "/-/whoami", "/é", "/ b"]
        {
            assert_eq!(Target::read(text).as_str(), "/", "{text}");
        }
        assert_eq!(Target::read("/package/@a/b?x=1#y").as_str(), "/package/@a/b?x=1#y");
    }
}
