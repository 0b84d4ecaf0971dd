-- Known vulnerabilities, as an administrator imported them from OSV files.
create table advisories (
    id bigint generated always as identity primary key,
    osv_id text not null constraint advisories_osv_id_key unique,
    title text not null,
    details text not null,
    severity text not null,
    cwes text[] not null,
    cves text[] not null,
    cvss_score double precision not null,
    cvss_vector text,
    url text not null,
    published_at timestamptz not null,
    modified_at timestamptz not null,
    imported_at timestamptz not null,
    constraint advisories_severity_check check (severity in ('info', 'low', 'moderate', 'high', 'critical'))
);

-- The id is the number that clients know an advisory by: one for each package that it names, since some of them keep no
-- more than one package under a number. The affected versions are a JSON list of spans.
create table advisory_packages (
    id bigint generated always as identity primary key,
    advisory_id bigint not null references advisories (id) on delete cascade,
    package text not null,
    affected text not null,
    constraint advisory_packages_advisory_id_package_key unique (advisory_id, package)
);

create index advisory_packages_package_idx on advisory_packages (package);
