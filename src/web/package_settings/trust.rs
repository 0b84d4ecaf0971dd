//! Trusted publishers: whose CI publishes a package without anybody's token; also before there is the package.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PackagePath;
use crate::names::{PackageName, RandomId};
use crate::policy::Intent;
use crate::trust::{NewPublisher, Publisher, TrustPermission};
use crate::web::package::Frame;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Typed, Visitor, page, see_other_with};

#[derive(Template)]
#[template(path = "package_settings/trust.html")]
struct TrustPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    publishers: Vec<Trusted>,
    /// Whether there is no such package yet.
    is_new: bool,
    typed: Typed<'a>,
    snippets: [(&'static str, String); 3],
    errors: FormErrors,
}

/// A publisher as the page shows it.
struct Trusted {
    publisher: Publisher,
    /// Its claims in words.
    claims: String,
    /// Whether all of the scope is meant, so that it is removed there.
    is_scopes: bool,
}

/// `GET /package/{package}/settings/trust`.
pub(in crate::web) async fn trust_page(State(app): State<Arc<App>>, visitor: Visitor, path: PackagePath) -> PageResult {
    let name = path.for_reading()?;
    // Who may not see it is told that first; who may shows the second factor, which even looking takes.
    let visitor = match app.access.permit(visitor.actor(), &name, Intent::SEE_TRUST).await {
        Ok(_) => visitor,
        Err(Error::SecondFactorRequired { .. }) => visitor.require_confirmed(&app).await?,
        Err(refusal) => return Err(refusal.into()),
    };
    show(&app, &visitor, &name, Typed::default(), FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, name: &PackageName, typed: Typed<'_>, errors: FormErrors) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::SEE_TRUST).await?;
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let publishers = app.trust.list(&permit).await?;
    let status = errors.status();
    let template = TrustPage {
        visitor,
        name,
        frame: Frame::of_facts(app, visitor, &facts, "settings"),
        publishers: publishers.into_iter().map(trusted).collect(),
        is_new: facts.package.is_none(),
        typed,
        snippets: snippets(visitor, name),
        errors,
    };
    page(visitor, status, &template)
}

fn trusted(publisher: Publisher) -> Trusted {
    let claims = serde_json::to_value(&publisher.rules).unwrap_or_default();
    let claims = claims.as_object().map(|claims| claims.iter().map(in_words).collect::<Vec<_>>().join(", "));
    Trusted { is_scopes: publisher.package.is_none(), claims: claims.unwrap_or_default(), publisher }
}

fn in_words((claim, rule): (&String, &Value)) -> String {
    match rule {
        Value::String(text) => format!("{claim} is {text}"),
        Value::Object(rule) => {
            let rule = rule.iter().map(|(kind, text)| format!("{kind} {}", text.as_str().unwrap_or_default()));
            format!("{claim}: {}", rule.collect::<Vec<_>>().join(", "))
        }
        other => format!("{claim} has {other}"),
    }
}

/// `POST /package/{package}/settings/trust`.
pub(in crate::web) async fn change_trust(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let name = path.for_reading()?;
    let permit = app.access.permit(visitor.actor(), &name, Intent::SET_TRUST).await?;
    let changed = if form.has("untrust") {
        match form.text("untrust").parse::<RandomId>() {
            Ok(id) => app.trust.remove(&permit, &id).await.map(|()| "It is no longer trusted, nor its tokens."),
            Err(cause) => Err(cause.into()),
        }
    } else {
        match wanted(&form) {
            Ok(publisher) => app.trust.add(&permit, &[publisher]).await.map(|_| "It may publish from now on."),
            Err(problem) => Err(problem),
        }
    };
    match changed {
        Ok(sentence) => {
            Ok(see_other_with(&visitor, &format!("/package/{name}/settings/trust"), &Notice::new(sentence)))
        }
        Err(problem) => {
            let errors = FormErrors::from_refusal("kind", problem)?;
            show(&app, &visitor, &name, Typed::from(&form), errors).await
        }
    }
}

/// The claims that npm sends for the same wish (`protocol.md` 7.6).
fn wanted(form: &Form) -> Result<NewPublisher> {
    let mut claims = Map::new();
    let mut exact = |claim: &str, field: &str| {
        let text = form.text(field);
        if !text.is_empty() {
            claims.insert(claim.to_owned(), json!(text));
        }
    };
    let kind = form.text("kind");
    match kind {
        "github" => exact("repository", "repository"),
        "gitlab" => exact("project_path", "repository"),
        "circleci" => {
            exact("oidc.circleci.com/org-id", "organization");
            exact("oidc.circleci.com/project-id", "project");
        }
        _ => return Err(Error::Unprocessable("Say which CI it is: GitHub, GitLab or CircleCI.".into())),
    }
    if kind != "circleci" {
        exact("environment", "environment");
        let file = form.text("workflow");
        if !file.is_empty() {
            let claim = if kind == "github" { "workflow_ref" } else { "ci_config_ref_uri" };
            claims.insert(claim.to_owned(), json!({ "file": file }));
        }
    }
    let deeds = [
        ("publish", TrustPermission::CreatePackage),
        ("stage", TrustPermission::CreateStagedPackage),
        ("tags", TrustPermission::ManageDistTags),
    ];
    let permissions = deeds.into_iter().filter(|(field, _)| form.has(field)).map(|(_, deed)| deed).collect();
    Ok(NewPublisher { kind: Some(kind.to_owned()), issuer: None, claims, permissions: Some(permissions) })
}

/// What the job needs, ready to be copied.
fn snippets(visitor: &Visitor, name: &PackageName) -> [(&'static str, String); 3] {
    let (registry, scope) = (&visitor.public_url, name.scope());
    let configure = format!("npm config set @{scope}:registry {registry}/");
    // npm shows who it is from 11.5.1 on, which comes with Node.js 24.
    let github = format!(
        "permissions:\n  contents: read\n  id-token: write\nsteps:\n  - uses: actions/checkout@v4\n  - uses: actions/setup-node@v4\n    with:\n      node-version: 24\n  - run: {configure}\n  - run: npm publish"
    );
    let gitlab = format!(
        "publish:\n  image: node:24\n  id_tokens:\n    NPM_ID_TOKEN:\n      aud: \"npm:{}\"\n  script:\n    - {configure}\n    - npm publish",
        visitor.host()
    );
    let circle = format!(
        "docker:\n  - image: cimg/node:24.0\nsteps:\n  - checkout\n  - run: {configure}\n  - run: |\n      export NPM_ID_TOKEN=$(circleci run oidc get --claims '{{\"aud\": \"npm:{}\"}}')\n      npm publish",
        visitor.host()
    );
    [("GitHub Actions", github), ("GitLab CI/CD", gitlab), ("CircleCI", circle)]
}
