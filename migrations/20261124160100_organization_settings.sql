-- What an organization asks of its members, and what they get on its new packages: read-write as on npm, read-only, or
-- nothing until somebody gives it.
alter table accounts
    add column members_need_second_factor boolean not null default false,
    add column developers_get text not null default 'read-write'
        constraint accounts_developers_get_check check (developers_get in ('read-write', 'read-only', 'nothing'));
