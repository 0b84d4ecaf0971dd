-- Users and organizations share one namespace, because the account alice owns the scope @alice.
create table accounts (
    id bigint generated always as identity primary key,
    name text not null constraint accounts_name_key unique,
    kind text not null constraint accounts_kind_check check (kind in ('user', 'organization')),
    email text not null,
    password_hash text,
    administrator boolean not null default false,
    paid boolean not null,
    paid_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    disabled_at timestamptz,
    constraint accounts_name_lower_check check (name = lower(name))
);

create table organization_members (
    organization_id bigint not null references accounts (id) on delete cascade,
    user_id bigint not null references accounts (id) on delete cascade,
    role text not null constraint organization_members_role_check check (role in ('member', 'admin', 'owner')),
    created_at timestamptz not null,
    primary key (organization_id, user_id)
);

create index organization_members_user_id_idx on organization_members (user_id);
