-- What the setup page was told: it holds where the configuration says nothing.
create table instance (
    one boolean primary key default true constraint instance_one_check check (one),
    name text,
    signup text constraint instance_signup_check check (signup in ('open', 'invite', 'closed')),
    updated_at timestamptz not null
);

-- One-time codes of the setup page, one for each start of a node while nobody has an account.
create table setup_codes (
    digest bytea primary key,
    created_at timestamptz not null,
    constraint setup_codes_digest_check check (octet_length(digest) = 32)
);
