//! What every face shares: who is asking, bodies, conditional requests, cache headers, errors, and the server itself.
//!
//! Knows HTTP and the npm shape of errors; knows no routes.

mod actor;
mod address;
mod body;
mod cache_policy;
mod conditional;
mod connection;
mod credential;
mod edge;
mod error;
mod large;
mod path;
mod route;
mod server;
mod spelling;
mod throttle;

pub use actor::{CurrentActor, CurrentOffer, HoldsTokens, require_account};
pub use address::{ClientAddress, TrustedProxies};
pub use body::{BodyStream, Json, JsonBody, answer, drain, read_form, read_json, read_raw, upload};
pub use cache_policy::CachePolicy;
pub use conditional::{HttpDate, Validators, not_modified};
pub use edge::{Edge, Faces, RequestId};
pub use error::note_cause;
pub use large::LargeBodies;
pub use path::{PackagePath, PathParameters, Query};
pub use route::{Route, router_over, row};
pub use server::{Limits, serve};
pub use throttle::Throttle;
