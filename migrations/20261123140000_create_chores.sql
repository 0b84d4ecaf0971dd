-- Background work that one node does for all: who has its turn, until when, and when it is due again. By the database's
-- clock, since the nodes' clocks may differ.
create table chores (
    name text primary key,
    held_until timestamptz not null,
    due_at timestamptz not null,
    succeeded_at timestamptz
);
