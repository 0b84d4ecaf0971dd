//! Parameters of a path, decoded once and parsed at the edge.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};
use crate::names::{InvalidName, PackageName};
use crate::policy::Actor;

use super::actor::require_account;

/// The decoded parameters of the route, by name.
#[derive(Debug)]
pub struct PathParameters(RawPathParams);

impl PathParameters {
    /// The `{package}` of the route.
    pub fn package(&self) -> PackagePath {
        PackagePath(self.get("package").parse())
    }

    /// A parameter that the route has.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParameters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters =
            parameters.map_err(|_| Error::Malformed("The path is not valid UTF-8. Check the URL.".into()))?;
        if parameters.iter().any(|(_, value)| value.contains('\0')) {
            return Err(Error::Malformed("The path holds a NUL character. Check the URL.".into()));
        }
        Ok(Self(parameters))
    }
}

/// The query of a URL, decoded; of a parameter that comes twice the first counts.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter, where it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every pair as it came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Reads a query, or the body of a form, which has the same form.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            let decoded = percent_decode_str(&spaced).decode_utf8().ok().filter(|text| !text.contains('\0'));
            decoded.map(std::borrow::Cow::into_owned).ok_or_else(|| {
                Error::Malformed("The query is not valid UTF-8, or holds a NUL character. Check the URL.".into())
            })
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        });
        Ok(Self(decoded.collect::<Result<_>>()?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// The `{package}` of a route, which need not be a valid name.
#[derive(Debug)]
pub struct PackagePath(Result<PackageName, InvalidName>);

impl PackagePath {
    /// The name, for a read: what cannot be a name is not found, before any query.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn for_reading(self) -> Result<PackageName> {
        self.0.map_err(|cause| Error::NotFound(cause.to_string().into()))
    }

    /// The name, for a write: who is logged in is told the rule.
    ///
    /// # Errors
    /// `Unauthenticated` or `DeadCredential`, else `Unprocessable`.
    pub fn for_writing(self, actor: &Actor) -> Result<PackageName> {
        self.0.or_else(|cause| require_account(actor).and(Err(cause.into())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PackagePath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let parameters = PathParameters::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|_| Error::NotFound("There is no such package.".into()))?;
        Ok(parameters.package())
    }
}
