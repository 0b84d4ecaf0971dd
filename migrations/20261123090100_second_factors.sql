-- When an account is asked for its second factor, and whether a package asks for one by itself.
alter table accounts
    add column second_factor text
    constraint accounts_second_factor_check check (second_factor in ('auth-only', 'auth-and-writes'));

alter table packages
    add column publish_requires_second_factor boolean not null default false,
    add column automation_overrides_second_factor boolean not null default false;
