-- Terminals that wait to be logged in. Page and terminal know different secrets, of which only the SHA-256 is here. An
-- approval says what the token shall be; the token is made when the terminal asks for it, through approved_by, the token
-- or session that approved: where that has ended meanwhile, there is none.
create table web_logins (
    id bigint generated always as identity primary key,
    page_digest bytea not null constraint web_logins_page_digest_key unique,
    done_digest bytea not null constraint web_logins_done_digest_key unique,
    client text not null,
    address text,
    signs_up boolean not null,
    state text not null constraint web_logins_state_check check (state in ('pending', 'approved', 'refused')),
    account_id bigint references accounts (id) on delete cascade,
    approved_by bigint references tokens (id) on delete cascade,
    token_name text,
    token_ends_at timestamptz,
    read_only boolean not null default false,
    collected_at timestamptz,
    token_key text,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

create index web_logins_expires_at_idx on web_logins (expires_at);
