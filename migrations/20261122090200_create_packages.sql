-- manifest_bytes is how much text the manifests of all versions are, and so how large the packument will be.
-- revision grows by one with every change that a packument or a decision can show; it is the front half of _rev.
create table packages (
    id bigint generated always as identity primary key,
    owner_id bigint not null references accounts (id),
    name text not null constraint packages_name_key unique,
    visibility text not null constraint packages_visibility_check check (visibility in ('public', 'restricted')),
    revision bigint not null,
    manifest_bytes bigint not null,
    created_by bigint not null references accounts (id),
    created_at timestamptz not null,
    modified_at timestamptz not null
);

create index packages_owner_id_idx on packages (owner_id);

-- Blobs are written to storage before the version that points at them is committed. The row comes first and is touched
-- by every upload of the same bytes, so that the sweeper never takes a blob whose publish is still under way.
create table blobs (
    sha512 bytea primary key,
    size_bytes bigint not null,
    touched_at timestamptz not null,
    constraint blobs_sha512_check check (octet_length(sha512) = 64)
);

-- The manifest is kept as text, without dist and deprecated, which are stitched in when a packument is made.
-- A version number is never used twice: an unpublished version keeps its row.
create table versions (
    id bigint generated always as identity primary key,
    package_id bigint not null references packages (id),
    version text not null,
    published_by bigint not null references accounts (id),
    published_at timestamptz not null,
    manifest text not null,
    abbreviated text not null,
    sha512 bytea not null references blobs (sha512),
    sha1 bytea not null,
    size_bytes bigint not null,
    unpacked_bytes bigint not null,
    file_count integer not null,
    readme text,
    readme_file text,
    provenance text,
    deprecated text,
    unpublished_at timestamptz,
    constraint versions_package_id_version_key unique (package_id, version),
    constraint versions_package_id_id_key unique (package_id, id)
);

create index versions_sha512_idx on versions (sha512);

create table dist_tags (
    package_id bigint not null references packages (id),
    tag text not null,
    version_id bigint not null,
    primary key (package_id, tag),
    constraint dist_tags_version_fkey foreign key (package_id, version_id) references versions (package_id, id)
);
