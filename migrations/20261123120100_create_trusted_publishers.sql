-- Who may publish a package, or every package of a scope, by a token of their CI: what its claims must say, and who
-- signs them. They go by the name of the package, which need not exist yet.
create table trusted_publishers (
    id text primary key,
    owner_id bigint not null references accounts (id) on delete cascade,
    package_name text,
    issuer text not null,
    kind text not null,
    claims jsonb not null,
    permissions text[] not null,
    created_by bigint references accounts (id) on delete set null,
    created_at timestamptz not null
);

create unique index trusted_publishers_rule_key
    on trusted_publishers (owner_id, coalesce(package_name, ''), issuer, md5(claims::text));
create index trusted_publishers_issuer_idx on trusted_publishers (issuer);

-- Tokens of CI that were exchanged, where each is good for one exchange; forgotten once they have expired.
create table exchanged_tokens (
    digest bytea primary key,
    expires_at timestamptz not null
);

create index exchanged_tokens_expires_at_idx on exchanged_tokens (expires_at);

-- Which trusted publisher a token was given to, and which published a version.
alter table tokens add column trusted_publisher jsonb;
alter table versions add column trusted_publisher jsonb;

create index tokens_trusted_publisher_idx
    on tokens ((trusted_publisher ->> 'id'))
    where trusted_publisher is not null;

alter table tokens
    drop constraint tokens_kind_check,
    add constraint tokens_kind_check check (kind in ('login', 'granular', 'password', 'trusted'));
