//! Requests as Stripe reads them: forms with brackets in the names of what is inside of something.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a name or value; the brackets of names too.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ESCAPED_IN_NAMES: &AsciiSet = &ESCAPED.remove(b'[').remove(b']');

/// Fields in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn encode(&self) -> String {
        let field = |(name, value): &(String, String)| {
            format!("{}={}", utf8_percent_encode(name, ESCAPED_IN_NAMES), utf8_percent_encode(value, ESCAPED))
        };
        self.0.iter().map(field).collect::<Vec<_>>().join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_brackets_of_names_are_not() {
        let form = Form::default().with("line_items[0][price]", "price_1").with("name", "a&b=c d+é");
        assert_eq!(form.encode(), "line_items[0][price]=price_1&name=a%26b%3Dc%20d%2B%C3%A9");
        assert_eq!(Form::default().encode(), "");
    }
}
