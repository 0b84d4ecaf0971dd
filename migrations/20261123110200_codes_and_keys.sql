-- The seed of an account's one-time codes, sealed. Until its first code was shown it waits, with the mode that shall hold
-- from then on.
create table one_time_seeds (
    account_id bigint primary key references accounts (id) on delete cascade,
    sealed bytea not null,
    mode text not null constraint one_time_seeds_mode_check check (mode in ('auth-only', 'auth-and-writes')),
    created_at timestamptz not null,
    confirmed_at timestamptz
);

-- A code of one step of time is good for the credential that showed it first, and for no other. Rows of steps that are
-- over are removed by the next check.
create table used_codes (
    account_id bigint not null references accounts (id) on delete cascade,
    step bigint not null,
    token_id bigint references tokens (id) on delete cascade,
    primary key (account_id, step)
);

create table recovery_codes (
    account_id bigint not null references accounts (id) on delete cascade,
    digest bytea not null,
    used_at timestamptz,
    token_id bigint references tokens (id) on delete set null,
    primary key (account_id, digest),
    constraint recovery_codes_digest_check check (octet_length(digest) = 32)
);

-- Wrong codes in a row. Who holds this row's lock is the one whose code is being looked at.
create table wrong_codes (
    account_id bigint primary key references accounts (id) on delete cascade,
    count integer not null,
    closed_until timestamptz not null
);

-- key is what its user names it by; credential what the authenticator does.
create table security_keys (
    id bigint generated always as identity primary key,
    account_id bigint not null references accounts (id) on delete cascade,
    key text not null constraint security_keys_key_key unique,
    credential bytea not null constraint security_keys_credential_key unique,
    public_key bytea not null,
    sign_count bigint not null,
    name text not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);

create index security_keys_account_id_idx on security_keys (account_id);

-- A key that is being registered; one at a time for each account.
create table security_key_offers (
    account_id bigint primary key references accounts (id) on delete cascade,
    challenge bytea not null,
    expires_at timestamptz not null
);

-- What a terminal waits for while its user confirms on a page. Page and terminal know different secrets, of which only the
-- SHA-256 is here; code_digest is that of what the terminal gets and shows as its one-time code.
create table confirmations (
    id bigint generated always as identity primary key,
    account_id bigint not null references accounts (id) on delete cascade,
    token_id bigint references tokens (id) on delete cascade,
    subject text not null,
    address text,
    page_digest bytea not null constraint confirmations_page_digest_key unique,
    done_digest bytea not null constraint confirmations_done_digest_key unique,
    code_digest bytea constraint confirmations_code_digest_key unique,
    challenge bytea,
    state text not null constraint confirmations_state_check check (state in ('pending', 'approved', 'refused')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index confirmations_account_id_idx on confirmations (account_id);
