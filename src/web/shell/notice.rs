//! A sentence for the next page: what was done, and perhaps how to undo it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::tokens::SessionSecret;

const PURPOSE: &str = "notice ";

/// What is shown once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The sentence.
    pub(crate) sentence: String,
    /// How to undo it, where that is one click.
    pub(crate) undo: Option<Undo>,
}

/// A form of one button.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// Where it goes: a path.
    pub(crate) action: String,
    /// What it sends.
    pub(crate) fields: Vec<(String, String)>,
}

impl Notice {
    /// A sentence alone.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), undo: None }
    }

    /// The same with a way back.
    pub(crate) fn with_undo(self, action: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { undo: Some(Undo { action: action.into(), fields }), ..self }
    }

    /// As a cookie holds it: what the session does not vouch for, a neighbouring host may have put there.
    pub(super) fn seal(&self, secret: &SessionSecret) -> String {
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let code = URL_SAFE_NO_PAD.encode(secret.code_for(&format!("{PURPOSE}{text}")));
        format!("{text}.{code}")
    }

    /// Reads [`Notice::seal`].
    pub(super) fn open(sealed: &str, secret: &SessionSecret) -> Option<Self> {
        let (text, code) = sealed.split_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        let vouched = secret.vouches_for(&format!("{PURPOSE}{text}"), &code);
        vouched.then(|| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok())?
    }
}
