//! `/admin/jobs`: the work in the background.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::chores::{self, RunNow};
use crate::policy::{InstanceAction, InstancePermit};
use crate::web::shell::{Form, FormErrors, Moment, Notice, PageResult, Visitor, page, see_other_with};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/jobs.html")]
struct JobsPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    rows: Vec<Row>,
    errors: FormErrors,
}

struct Row {
    name: &'static str,
    every: String,
    each_node: bool,
    /// On this node, in a row.
    failures: u32,
    succeeded: Option<Moment>,
    running: bool,
}

/// `GET /admin/jobs`.
pub(in crate::web) async fn jobs(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    show(&app, &visitor, &permit, FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, permit: &InstancePermit, errors: FormErrors) -> PageResult {
    let reports = chores::reports(app, permit).await?;
    let rows = reports.into_iter().map(|report| Row {
        name: report.name,
        every: in_words(report.every.as_secs()),
        each_node: report.each_node,
        failures: report.failures,
        succeeded: report.succeeded_at.map(|at| visitor.moment(at)),
        running: report.running,
    });
    let template = JobsPage { visitor, tab: "/jobs", rows: rows.collect(), errors };
    let status = template.errors.status();
    page(visitor, status, &template)
}

/// `POST /admin/jobs`: does one now.
pub(in crate::web) async fn run(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::RunChores).await?;
    let name = form.text("chore");
    let sentence = match chores::run_now(&app, &permit, name).await {
        Ok(RunNow::Done) => format!("{name} is done."),
        Ok(RunNow::Elsewhere) => format!("{name} is being done by another node right now."),
        Ok(RunNow::Begun) => format!("{name} takes a while. It goes on; look again later."),
        Err(error) => {
            let errors = FormErrors::from_refusal("chore", error)?;
            return show(&app, &visitor, &permit, errors).await;
        }
    };
    Ok(see_other_with(&visitor, "/admin/jobs", &Notice::new(sentence)))
}

fn in_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}
