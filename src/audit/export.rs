//! The log as a file: for spreadsheets, and for programs. The numbers of lines are not in it: they count what happens on
//! the whole instance.

use std::fmt::Write as _;

use serde_json::json;

use super::reading::Line;

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
    /// One JSON object on each line.
    JsonLines,
}

impl Layout {
    /// Reads the word of an address: `csv` or `jsonl`.
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// The end of the file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The type of the file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// What the file begins with.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Csv => "at,actor,action,subject,outcome,address,token,scope,detail\r\n",
            Self::JsonLines => "",
        }
    }

    /// Writes a line of the log.
    pub fn write(self, out: &mut String, line: &Line) {
        match self {
            Self::Csv => write_csv(out, line),
            Self::JsonLines => write_json(out, line),
        }
    }
}

fn write_json(out: &mut String, line: &Line) {
    let object = json!({
        "at": line.at,
        "actor": line.actor,
        "action": line.action,
        "subject": line.subject,
        "outcome": line.outcome,
        "address": line.address,
        "token": line.token_key,
        "scope": line.scope,
        "detail": line.detail,
    });
    // Into a string nothing fails to be written.
    let _ = writeln!(out, "{object}");
}

fn write_csv(out: &mut String, line: &Line) {
    let scope = line.scope.as_ref().map_or("", |scope| scope.as_str());
    let texts = [
        line.at.to_rfc3339(),
        line.actor.clone(),
        line.action.clone(),
        line.subject.clone(),
        line.outcome.clone(),
        line.address.clone().unwrap_or_default(),
        line.token_key.clone().unwrap_or_default(),
        scope.to_owned(),
        line.detail.to_string(),
    ];
    let cells: Vec<String> = texts.iter().map(|text| cell(text)).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// Quoted; and what a spreadsheet would take for a formula begins with an apostrophe, which it takes for text.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@ada/one"), "\"'@ada/one\"");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }

    #[test]
    fn a_line_of_json_is_one_line() {
        let line = Line {
            id: 7,
            at: chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            actor: "ada".into(),
            token_key: None,
            address: Some("192.0.2.1".into()),
            action: "access.grant".into(),
            subject: "@crew/one\n".into(),
            outcome: "done".into(),
            detail: json!({ "user": "bob" }),
            scope: None,
        };
        let mut out = String::new();
        Layout::JsonLines.write(&mut out, &line);
        assert_eq!(out.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&read["subject"], &read["detail"]["user"]), (&json!("@crew/one\n"), &json!("bob")));
    }
}
