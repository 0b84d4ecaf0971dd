-- Of what an account wants mail. Where there is no row, what the room says holds; some things are told in any case.
create table notice_wishes (
    account_id bigint not null references accounts (id) on delete cascade,
    kind text not null constraint notice_wishes_kind_check check (kind in ('login', 'access', 'publish')),
    wanted boolean not null,
    primary key (account_id, kind)
);

-- What somebody may have to be told of. Who, and whether they may know it, is found out when the letters are written.
create table pending_notices (
    id bigint generated always as identity primary key,
    event_id bigint references audit_events (id),
    account_id bigint references accounts (id) on delete cascade,
    old_email text,
    created_at timestamptz not null
);

-- Like deliveries of hooks, notices begin with the line of the audit log, in the transaction of the change itself.
create function enqueue_notice() returns trigger
language plpgsql as $$
begin
    insert into pending_notices (event_id, created_at) values (new.id, new.at);
    return null;
end
$$;

create trigger audit_events_notices after insert on audit_events
for each row
when (
    new.outcome = 'done'
    and new.action in (
        'user.password', 'second-factor.change', 'second-factor.key-add', 'second-factor.key-remove', 'token.create',
        'access.grant', 'organization.member', 'package.publish'
    )
)
execute function enqueue_notice();

-- The log does not say which address it was: the one before is told here, and nowhere else.
create function enqueue_email_notice() returns trigger
language plpgsql as $$
begin
    insert into pending_notices (account_id, old_email, created_at) values (new.id, old.email, new.updated_at);
    return null;
end
$$;

create trigger accounts_email_notice after update of email on accounts
for each row
when (old.kind = 'user' and old.email <> '' and lower(old.email) <> lower(new.email))
execute function enqueue_email_notice();
