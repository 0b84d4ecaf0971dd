-- What token lists show. A 'password' token stands for a name and password that a client sends with every request: it is
-- made when they are first found right, has no text of its own, and ends with the password.
alter table tokens
    add column description text,
    add column last_used_at timestamptz,
    drop constraint tokens_kind_check,
    add constraint tokens_kind_check check (kind in ('login', 'granular', 'password', 'trusted'));
