-- Letters that wait to be sent. Rooms put them here in the transaction of what they tell of; a chore sends them. Subject
-- and text are sealed by the vault, since they hold one-time links, and are forgotten once a letter was sent or given up.
create table outbox (
    id bigint generated always as identity primary key,
    key text not null constraint outbox_key_key unique,
    kind text not null,
    recipient text not null,
    sealed bytea,
    created_at timestamptz not null,
    due_at timestamptz,
    expires_at timestamptz not null,
    attempts integer not null default 0,
    attempted_at timestamptz,
    sent boolean not null default false,
    failure text
);

create index outbox_due_at_idx on outbox (due_at) where due_at is not null;
