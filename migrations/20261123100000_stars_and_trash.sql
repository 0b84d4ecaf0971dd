-- Who gave which package a star.
create table stars (
    package_id bigint not null references packages (id) on delete cascade,
    user_id bigint not null references accounts (id) on delete cascade,
    created_at timestamptz not null,
    primary key (package_id, user_id)
);

create index stars_user_id_idx on stars (user_id);

-- The package's revision at which deprecated last changed: a packument that was read before says nothing of it.
alter table versions add column deprecated_revision bigint not null default 0;

-- Who removed it. What was removed stays in the trash for some time with its file; when that is gone too, sha512 is
-- null and only the number is left, which is never used again.
alter table packages add column deleted_by bigint references accounts (id) on delete set null;
alter table versions add column unpublished_by bigint references accounts (id) on delete set null;
alter table versions alter column sha512 drop not null;
alter table versions add constraint versions_sha512_kept_check
    check (sha512 is not null or unpublished_at is not null) not valid;
