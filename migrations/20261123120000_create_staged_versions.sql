-- Versions that were put up for approval: everything a publish needs but the right to be seen. They go by the name of
-- their package, which need not exist yet. The file is kept from the sweeper for as long as the row stands.
create table staged_versions (
    id text primary key,
    package_name text not null,
    owner_id bigint not null references accounts (id) on delete cascade,
    version text not null,
    tag text not null,
    access text constraint staged_versions_access_check check (access in ('public', 'restricted')),
    staged_by bigint not null references accounts (id),
    trusted_publisher jsonb,
    staged_at timestamptz not null,
    manifest text not null,
    abbreviated text not null,
    has_install_script boolean not null,
    sha512 bytea not null references blobs (sha512),
    sha1 bytea not null,
    size_bytes bigint not null,
    unpacked_bytes bigint not null,
    file_count integer not null,
    readme text,
    readme_file text,
    provenance text,
    constraint staged_versions_package_name_version_key unique (package_name, version)
);

create index staged_versions_owner_id_idx on staged_versions (owner_id);
create index staged_versions_sha512_idx on staged_versions (sha512);
create index staged_versions_staged_at_idx on staged_versions (staged_at);
