-- An account that is being exported: one at a time, whichever node does it. Who has the turn renews it while bytes flow; a
-- node that died leaves it to run out.
create table exports (
    account_id bigint primary key references accounts (id) on delete cascade,
    held_until timestamptz not null
);
