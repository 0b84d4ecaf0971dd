-- Only the SHA-256 of a token is kept; key is what its user sees and names it by.
create table tokens (
    id bigint generated always as identity primary key,
    account_id bigint not null references accounts (id) on delete cascade,
    key text not null constraint tokens_key_key unique,
    digest bytea not null constraint tokens_digest_key unique,
    prefix text not null,
    name text not null,
    kind text not null constraint tokens_kind_check check (kind in ('login', 'granular')),
    read_only boolean not null,
    packages text[] not null,
    networks text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint tokens_digest_check check (octet_length(digest) = 32)
);

create index tokens_account_id_idx on tokens (account_id);
