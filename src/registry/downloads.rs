//! Download counts (`protocol.md` 8.5).

use std::sync::Arc;

use axum::extract::State;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::downloads::{Of, Period};
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, PathParameters};
use crate::names::PackageName;
use crate::policy::{Actor, Intent};

/// The most packages that are asked about at once.
const MOST_PACKAGES: usize = 128;

/// Whether the sum is wanted, or each day.
#[derive(Clone, Copy)]
enum Form {
    Point,
    Range,
}

/// `GET /downloads/point/{period}`: all public packages together.
pub(super) async fn public_point(State(app): State<Arc<App>>, parameters: PathParameters) -> Result<Json<Value>> {
    public(&app, &parameters, Form::Point).await
}

/// `GET /downloads/range/{period}`.
pub(super) async fn public_range(State(app): State<Arc<App>>, parameters: PathParameters) -> Result<Json<Value>> {
    public(&app, &parameters, Form::Range).await
}

/// `GET /downloads/point/{period}/{package}`: one package, or several with commas between.
pub(super) async fn point(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    packages(&app, actor, &parameters, Form::Point).await
}

/// `GET /downloads/range/{period}/{package}`.
pub(super) async fn range(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    packages(&app, actor, &parameters, Form::Range).await
}

/// `GET /versions/{package}/last-week`.
pub(super) async fn versions(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let name = parameters.package().for_reading()?;
    let opened = app.packages.open(&actor.known()?, &name, Intent::READ).await?;
    let period = app.downloads.period("last-week").map_err(Error::internal)?;
    let counted = app.downloads.by_version(&opened.permit, period).await?;
    let counted: Map<_, _> = counted.into_iter().map(|(version, count)| (version, count.into())).collect();
    Ok(Json(json!({ "package": name, "downloads": counted })))
}

async fn public(app: &App, parameters: &PathParameters, form: Form) -> Result<Json<Value>> {
    let period = period(app, parameters)?;
    let days = app.downloads.by_day(Of::Public, period).await?;
    Ok(Json(Value::Object(shape(form, period, &days))))
}

async fn packages(app: &App, actor: CurrentActor, parameters: &PathParameters, form: Form) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let period = period(app, parameters)?;
    let names = parameters.get("package");
    if !names.contains(',') {
        let name = parameters.package().for_reading()?;
        return Ok(Json(one(app, &actor, &name, period, form).await?));
    }
    if names.split(',').count() > MOST_PACKAGES {
        return Err(Error::Malformed(format!("At most {MOST_PACKAGES} packages at once. Ask again for more.").into()));
    }
    let mut counted = Map::new();
    for text in names.split(',') {
        let found = match text.parse() {
            Ok(name) => one(app, &actor, &name, period, form).await,
            Err(_) => Ok(Value::Null),
        };
        counted.insert(text.to_owned(), null_where_hidden(found)?);
    }
    Ok(Json(counted.into()))
}

/// In a list, a package that cannot be read is as good as none.
fn null_where_hidden(found: Result<Value>) -> Result<Value> {
    match found {
        Err(refusal) if refusal.status() < 500 => Ok(Value::Null),
        found => found,
    }
}

async fn one(app: &App, actor: &Actor, name: &PackageName, period: Period, form: Form) -> Result<Value> {
    let opened = app.packages.open(actor, name, Intent::READ).await?;
    let days = app.downloads.by_day(Of::Package(&opened.permit), period).await?;
    let mut shape = shape(form, period, &days);
    shape.insert("package".into(), name.as_str().into());
    Ok(shape.into())
}

fn shape(form: Form, period: Period, days: &[(NaiveDate, i64)]) -> Map<String, Value> {
    let downloads = match form {
        Form::Point => days.iter().map(|(_, count)| count).sum::<i64>().into(),
        Form::Range => days.iter().map(|(day, count)| json!({ "day": day, "downloads": count })).collect(),
    };
    let start = json!({ "downloads": Value::Null, "start": period.start, "end": period.end });
    let mut shape = start.as_object().cloned().unwrap_or_default();
    shape.insert("downloads".into(), downloads);
    shape
}

fn period(app: &App, parameters: &PathParameters) -> Result<Period> {
    app.downloads.period(parameters.get("period")).map_err(|cause| Error::Malformed(cause.to_string().into()))
}
