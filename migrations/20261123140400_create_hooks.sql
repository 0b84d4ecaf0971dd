-- Hooks: who wants to be told of what, and where. The secret that deliveries are signed with is sealed by the vault.
create table hooks (
    id bigint generated always as identity primary key,
    key text not null constraint hooks_key_key unique,
    account_id bigint not null references accounts (id) on delete cascade,
    kind text not null constraint hooks_kind_check check (kind in ('package', 'scope', 'owner')),
    name text not null,
    endpoint text not null,
    secret bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_delivery_at timestamptz,
    last_status integer
);

create index hooks_account_id_idx on hooks (account_id);
create index hooks_name_idx on hooks (name, kind);

-- The outbox. A line is due until it was delivered, or given up; whether its hook's owner may be told at all is decided
-- when it is delivered.
create table hook_deliveries (
    id bigint generated always as identity primary key,
    hook_id bigint not null references hooks (id) on delete cascade,
    event_id bigint not null references audit_events (id),
    created_at timestamptz not null,
    due_at timestamptz,
    attempts integer not null default 0,
    attempted_at timestamptz,
    delivered boolean not null default false,
    status integer,
    failure text
);

create index hook_deliveries_due_at_idx on hook_deliveries (due_at) where due_at is not null;
create index hook_deliveries_hook_id_idx on hook_deliveries (hook_id, id);

-- Whatever is done to a package is written down in the audit log, in the transaction that does it: so that is where
-- deliveries begin, and no change can forget them. Who sees whom, and what is tried in vain, is nobody's news.
create function enqueue_hooks() returns trigger
language plpgsql as $$
begin
    insert into hook_deliveries (hook_id, event_id, created_at, due_at)
    select hooks.id, new.id, new.at, new.at
    from hooks
    where (hooks.kind = 'package' and hooks.name = new.subject)
       or (hooks.kind = 'scope' and hooks.name = split_part(new.subject, '/', 1))
       or (
           hooks.kind = 'owner'
           and hooks.name = any(
               select unnest(maintainers_of(packages.id, new.at)) from packages where packages.name = new.subject
           )
       );
    return null;
end
$$;

create trigger audit_events_hooks after insert on audit_events
for each row
when (
    new.outcome = 'done'
    and new.action in (
        'package.publish', 'package.unpublish', 'package.delete', 'package.restore', 'package.deprecate', 'package.tag',
        'package.star', 'access.grant', 'access.revoke', 'access.expire', 'access.visibility'
    )
)
execute function enqueue_hooks();
