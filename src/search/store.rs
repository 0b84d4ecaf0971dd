//! The SQL of search.

use sqlx::PgPool;
use sqlx::types::Json;

use crate::clock::Time;
use crate::error::Result;
use crate::names::PackageId;

use super::{Found, Hit, Page, Query, Viewer};

/// What makes a package fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It has all the words.
    Words,
    /// Its name is like what was searched for.
    Likeness,
}

/// One statement, so that total and page are of one moment.
///
/// `readable` says in SQL what `policy::decide` says of reading a restricted package: by owning the scope, leading the
/// organization, or a grant that lives; through a token that reaches it; and paid for, by the scope's owner, and by who
/// is not of the organization themselves. Restricted packages come in through it alone.
pub(super) async fn find(
    pool: &PgPool,
    viewer: &Viewer,
    query: &Query,
    page: Page,
    fit: Fit,
    now: Time,
) -> Result<Found> {
    let sought = query.sought();
    let row = sqlx::query!(
        r#"with
           readable as (
               select packages.id
               from packages
               join accounts as owners on owners.id = packages.owner_id
               join accounts as viewers on viewers.id = $1
               left join organization_members as roles
                   on roles.organization_id = owners.id and roles.user_id = viewers.id
               where packages.visibility = 'restricted'
                 and packages.deleted_at is null
                 and (
                     owners.id = viewers.id
                     or roles.role in ('admin', 'owner')
                     or exists (
                         select from collaborations
                         where collaborations.package_id = packages.id
                           and collaborations.user_id = viewers.id
                           and (collaborations.expires_at is null or collaborations.expires_at > $2)
                     )
                 )
                 and (
                     cardinality($3::text[]) = 0
                     or packages.name = any($3)
                     or split_part(packages.name, '/', 1) || '/*' = any($3)
                 )
                 and (
                     not owners.members_need_second_factor
                     or roles.role is null
                     or viewers.second_factor is not null
                 )
                 and owners.paid
                 and (owners.paid_until is null or owners.paid_until > $2)
                 and (
                     owners.id = viewers.id
                     or roles.role is not null
                     or (viewers.paid and (viewers.paid_until is null or viewers.paid_until > $2))
                 )
           ),
           visible as (
               select * from search_documents where is_public
               union all
               select * from search_documents where not is_public and package_id in (select id from readable)
           ),
           recent as (
               select
                   package_id,
                   coalesce(sum(count) filter (where day > $4::date - 7), 0)::bigint as weekly,
                   sum(count)::bigint as monthly
               from downloads
               where day > $4::date - 30
               group by package_id
           ),
           matched as (
               select
                   visible.*,
                   coalesce(recent.weekly, 0) as weekly,
                   coalesce(recent.monthly, 0) as monthly,
                   not $5 and ($6 = visible.name or $6 = split_part(visible.name, '/', 2)) as is_exact,
                   case
                       when $7 then search_likeness($6, visible.name)::float8
                       when $8 = '' then 1
                       else ts_rank(visible.words, to_tsquery('simple', $8))::float8
                   end as fit
               from visible
               left join recent on recent.package_id = visible.package_id
               where ($7 or $8 = '' or visible.words @@ to_tsquery('simple', $8))
                 and (not $7 or search_likeness($6, visible.name) > 0.35)
                 and (cardinality($9::text[]) = 0 or split_part(visible.name, '/', 1) = any($9))
                 and (
                     cardinality($10::text[]) = 0
                     or lower(visible.author) = any($10)
                     or visible.publisher = any($10)
                 )
                 and (
                     cardinality($11::text[]) = 0
                     or exists (
                         select from unnest(maintainers_of(visible.package_id, $2)) as name where name = any($11)
                     )
                 )
                 and (cardinality($12::text[]) = 0 or lower(visible.keywords::text)::text[] && $12)
                 and not lower(visible.keywords::text)::text[] && $13::text[]
                 and ($14::boolean is null or $14 = (visible.version ~ '^0\.' or visible.version ~ '^[^+]*-'))
                 and $15::boolean is distinct from true
                 and visible.deprecated = coalesce($16::boolean, false)
                 and ($17::boolean is null or visible.is_public = $17)
           ),
           page as (
               select
                   matched.*,
                   fit * (1 + ln(1 + weekly) / 10) as score,
                   maintainers_of(package_id, $2) as maintainers,
                   case $20::text
                       when 'downloads' then monthly::float8
                       when 'newest' then extract(epoch from published_at)::float8
                   end as wanted_first
               from matched
               order by wanted_first desc, is_exact desc, score desc, name
               limit $18
               offset $19
           )
           select
               (select count(*) from matched) as "total!",
               coalesce(
                   (
                       select jsonb_agg(
                           to_jsonb(page) - 'words'
                           order by wanted_first desc, is_exact desc, score desc, name
                       )
                       from page
                   ),
                   '[]'
               ) as "hits!: Json<Vec<Hit>>""#,
        viewer.account.map(|account| account.0),
        now,
        &viewer.patterns,
        now.date_naive(),
        query.no_exact_boost,
        &sought,
        fit == Fit::Likeness,
        query.tsquery(),
        &query.scopes,
        &query.authors,
        &query.maintainers,
        &query.keywords,
        &query.without_keywords,
        query.unstable,
        query.insecure,
        query.deprecated,
        query.public,
        i64::from(page.size),
        i64::from(page.from),
        page.sort.as_str(),
    )
    .fetch_one(pool)
    .await?;
    Ok(Found { total: row.total, hits: row.hits.0 })
}

pub(super) async fn list_latest(pool: &PgPool, packages: &[PackageId]) -> Result<Vec<super::Latest>> {
    let ids: Vec<i64> = packages.iter().map(|package| package.0).collect();
    let latest = sqlx::query_as!(
        super::Latest,
        r#"select package_id as "package: PackageId", version, publisher, published_at, deprecated
           from search_documents
           where package_id = any($1)
           order by published_at desc, name"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    Ok(latest)
}
