-- When somebody showed that they read what is sent to the account's address. Another address is not proven by it, whoever
-- writes it.
alter table accounts add column email_verified_at timestamptz;

create function forget_email_proof() returns trigger
language plpgsql as $$
begin
    if lower(new.email) <> lower(old.email) then
        new.email_verified_at := null;
    end if;
    return new;
end
$$;

create trigger accounts_email_proof before update of email on accounts
for each row execute function forget_email_proof();

create index accounts_lower_email_idx on accounts (lower(email)) where kind = 'user';

-- Somebody forgot a password, and typed this. Whether there is such an account is found out by a chore: the request itself
-- does the same for every text.
create table forgotten_passwords (
    id bigint generated always as identity primary key,
    typed text not null,
    address text,
    created_at timestamptz not null
);

-- One-time links: "reset" and "recover" lead to a new password, sent by mail and handed out by the operator; "verify"
-- shows that somebody reads what is sent to an address.
create table account_links (
    id bigint generated always as identity primary key,
    account_id bigint not null references accounts (id) on delete cascade,
    purpose text not null constraint account_links_purpose_check check (purpose in ('reset', 'recover', 'verify')),
    email text,
    digest bytea not null constraint account_links_digest_key unique,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint account_links_digest_check check (octet_length(digest) = 32)
);

create index account_links_account_id_idx on account_links (account_id, created_at);
