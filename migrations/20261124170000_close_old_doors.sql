-- A password that was replaced takes with it the links that would lead to another one.
create function end_links_with_password() returns trigger
language plpgsql as $$
begin
    update account_links
    set used_at = now()
    where account_id = new.id and purpose in ('reset', 'recover') and used_at is null;
    return null;
end
$$;

create trigger accounts_end_links after update of password_hash on accounts
for each row
when (old.password_hash is distinct from new.password_hash)
execute function end_links_with_password();

-- Who has a second factor from now on has shown it in none of the sessions that were confirmed before.
create function forget_confirmations() returns trigger
language plpgsql as $$
begin
    update sessions
    set confirmed_at = 'epoch'
    from tokens
    where tokens.id = sessions.token_id and tokens.account_id = new.id;
    return null;
end
$$;

create trigger accounts_forget_confirmations after update of second_factor on accounts
for each row
when (old.second_factor is null and new.second_factor is not null)
execute function forget_confirmations();

-- An address that took the place of another one gets no links to a new password until somebody who knows the old one has
-- shown that it is read: whoever has found a token can change the address, and shall not come to have the account.
alter table accounts add column email_changed_at timestamptz;

create function note_email_change() returns trigger
language plpgsql as $$
begin
    new.email_changed_at = now();
    return new;
end
$$;

create trigger accounts_note_email_change before update of email on accounts
for each row
when (old.email <> '' and lower(old.email) <> lower(new.email))
execute function note_email_change();
