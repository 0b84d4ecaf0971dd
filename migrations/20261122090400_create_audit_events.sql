-- Who did what, when, from where, with which token, and what came of it. Rows are only ever added.
create table audit_events (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    scope_id bigint,
    actor_id bigint,
    actor text not null,
    token_key text,
    address text,
    action text not null,
    subject text not null,
    outcome text not null,
    detail jsonb not null
);

create index audit_events_scope_id_at_idx on audit_events (scope_id, at);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit_events is append-only';
end
$$;

create trigger audit_events_append_only before update or delete on audit_events
for each row execute function refuse_audit_change();
