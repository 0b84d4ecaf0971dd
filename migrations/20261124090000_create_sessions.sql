-- A session of somebody who logged in on the web is a token that no header shows: what ends tokens ends sessions.
alter table tokens
    drop constraint tokens_kind_check,
    add constraint tokens_kind_check check (kind in ('login', 'granular', 'password', 'trusted', 'session'));

create table sessions (
    token_id bigint primary key references tokens (id) on delete cascade,
    client text not null,
    address text,
    -- However much it is used, it ends here; tokens.expires_at moves up to it with use.
    ends_at timestamptz not null,
    -- When its user last showed their password, a code or a key.
    confirmed_at timestamptz not null
);
