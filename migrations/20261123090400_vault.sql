-- A text sealed with the key that this database is used with: a node with another key is told so when it starts.
create table vault_check (
    one boolean primary key default true constraint vault_check_one_check check (one),
    sealed bytea not null
);
