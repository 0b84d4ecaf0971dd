create table grants (
    package_id bigint not null references packages (id) on delete cascade,
    user_id bigint not null references accounts (id) on delete cascade,
    permission text not null constraint grants_permission_check check (permission in ('read-only', 'read-write')),
    granted_by bigint references accounts (id) on delete set null,
    created_at timestamptz not null,
    primary key (package_id, user_id)
);

create index grants_user_id_idx on grants (user_id);
