//! Searching: what anyone may read and what the visitor may, with the reason why each was found.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::error::Result;
use crate::http::Query as Parameters;
use crate::names::is_misleading;
use crate::policy::AccountAction;
use crate::search::{Found, Hit, Page, Query, Sort};

use super::shell::{PageResult, Visitor, page};

/// Results on one page, and how many pages are shown.
const PAGE: u32 = 20;
const MOST_PAGES: u32 = 500;

#[derive(Template)]
#[template(path = "search/page.html")]
struct SearchPage<'a> {
    visitor: &'a Visitor,
    text: &'a str,
    problem: Option<String>,
    results: Results,
    sorts: Vec<Choice>,
    filters: Vec<Choice>,
    paging: Paging,
}

/// Packages as lists show them.
pub(super) struct Results {
    pub(super) total: i64,
    pub(super) hits: Vec<FoundPackage>,
}

/// One package that was found.
pub(super) struct FoundPackage {
    pub(super) hit: Hit,
    pub(super) description: String,
    pub(super) reason: Option<String>,
}

/// A link of several, of which one is where one is.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) is_current: bool,
}

/// Where one is among the pages.
pub(super) struct Paging {
    pub(super) page: u32,
    pub(super) pages: u32,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What was asked for.
struct Asked<'a> {
    text: &'a str,
    sort: Sort,
    show: &'a str,
    page: u32,
}

impl Asked<'_> {
    fn link(&self, sort: Sort, show: &str, page: u32) -> String {
        let text = utf8_percent_encode(self.text, NON_ALPHANUMERIC);
        let show = utf8_percent_encode(show, NON_ALPHANUMERIC);
        format!("/search?q={text}&sort={}&show={show}&page={page}", sort.as_str())
    }
}

/// `GET /search?q=words&sort=newest&show=private&page=2`.
pub(super) async fn search_page(State(app): State<Arc<App>>, visitor: Visitor, parameters: Parameters) -> PageResult {
    let asked = Asked {
        text: parameters.get("q").unwrap_or_default().trim(),
        sort: Sort::read(parameters.get("sort").unwrap_or_default()),
        show: parameters.get("show").unwrap_or("all"),
        page: parameters.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, MOST_PAGES),
    };
    let names = filter_names(&app, &visitor).await?;
    let (results, problem) = match Query::parse(asked.text) {
        Ok(query) => (find(&app, &visitor, narrowed(query, &visitor, asked.show), asked.sort, asked.page).await?, None),
        Err(cause) => (Results { total: 0, hits: Vec::new() }, Some(cause.to_string())),
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let sorts = [Sort::Relevance, Sort::Downloads, Sort::Newest].map(|sort| Choice {
        name: sort.as_str().to_owned(),
        link: asked.link(sort, asked.show, 1),
        is_current: sort == asked.sort,
    });
    let filters = names.into_iter().map(|(word, name)| Choice {
        link: asked.link(asked.sort, &word, 1),
        is_current: word == asked.show,
        name,
    });
    let paging = Paging::over(results.total, asked.page, |page| asked.link(asked.sort, asked.show, page));
    let template = SearchPage {
        visitor: &visitor,
        text: asked.text,
        problem,
        sorts: sorts.into(),
        filters: filters.collect(),
        results,
        paging,
    };
    page(&visitor, status, &template)
}

/// The filters that mean something to the visitor: the word in addresses, and the one on the page.
async fn filter_names(app: &App, visitor: &Visitor) -> Result<Vec<(String, String)>> {
    let named = |word: &str, name: &str| (word.to_owned(), name.to_owned());
    let mut names = vec![named("all", "all")];
    if visitor.account().is_some() {
        names.push(named("mine", "mine"));
        let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
        for membership in app.organizations.list_memberships(&permit).await? {
            let scope = format!("@{}", membership.organization);
            names.push((scope.clone(), scope));
        }
        names.push(named("private", "private"));
    }
    names.push(named("deprecated", "deprecated"));
    Ok(names)
}

fn narrowed(query: Query, visitor: &Visitor, show: &str) -> Query {
    match (show, visitor.name()) {
        ("mine", Some(name)) => query.with("scope", name),
        ("private", _) => query.with("is", "private"),
        ("deprecated", _) => query.with("is", "deprecated"),
        (scope, _) if scope.starts_with('@') => query.with("scope", scope),
        _ => query,
    }
}

/// One page of what fits, of what the visitor may read.
pub(super) async fn find(app: &App, visitor: &Visitor, query: Query, sort: Sort, page: u32) -> Result<Results> {
    let wanted = Page { from: (page - 1) * PAGE, size: PAGE, sort };
    let Found { total, hits } = app.search.find(visitor.actor(), &query, wanted).await?;
    let pieces: Vec<&str> = query.sought_pieces().collect();
    let hits = hits.into_iter().map(|hit| FoundPackage {
        reason: reason(&hit, &pieces),
        description: tidy(hit.description.as_deref().unwrap_or_default()),
        hit,
    });
    Ok(Results { total, hits: hits.collect() })
}

/// Where what was searched for stands.
fn reason(hit: &Hit, pieces: &[&str]) -> Option<String> {
    if pieces.is_empty() {
        return None;
    }
    let stands_in = |text: &str| {
        let text = text.to_lowercase();
        pieces.iter().any(|piece| text.contains(piece))
    };
    let keyword = hit.keywords.iter().find(|word| stands_in(word)).map(|word| format!("keyword {}", tidy(word)));
    let places = [
        stands_in(&hit.name).then(|| "name".to_owned()),
        keyword,
        hit.description.as_deref().is_some_and(stands_in).then(|| "description".to_owned()),
        stands_in(&hit.publisher).then(|| "publisher".to_owned()),
    ];
    let places: Vec<String> = places.into_iter().flatten().collect();
    let found = if places.is_empty() { "a similar name, or its author".to_owned() } else { places.join(", ") };
    Some(format!("Found by {found}"))
}

/// A stranger's text on one line.
fn tidy(text: &str) -> String {
    text.chars().filter(|one| !is_misleading(*one)).take(300).collect()
}

impl Paging {
    pub(super) fn over(total: i64, page: u32, link: impl Fn(u32) -> String) -> Self {
        let pages = u32::try_from(total.max(1)).unwrap_or(u32::MAX).div_ceil(PAGE).min(MOST_PAGES);
        Self { page, pages, before: (page > 1).then(|| link(page - 1)), after: (page < pages).then(|| link(page + 1)) }
    }
}
