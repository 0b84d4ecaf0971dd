-- Teams of an organization, and what each was given. Everything that was given may end by itself.
create table teams (
    id bigint generated always as identity primary key,
    organization_id bigint not null references accounts (id) on delete cascade,
    name text not null,
    description text not null,
    created_at timestamptz not null,
    constraint teams_organization_id_name_key unique (organization_id, name)
);

create table team_members (
    team_id bigint not null references teams (id) on delete cascade,
    user_id bigint not null references accounts (id) on delete cascade,
    created_at timestamptz not null,
    primary key (team_id, user_id)
);

create index team_members_user_id_idx on team_members (user_id);

create table team_grants (
    package_id bigint not null references packages (id) on delete cascade,
    team_id bigint not null references teams (id) on delete cascade,
    permission text not null constraint team_grants_permission_check check (permission in ('read-only', 'read-write')),
    granted_by bigint references accounts (id) on delete set null,
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (package_id, team_id)
);

create index team_grants_team_id_idx on team_grants (team_id);

alter table grants add column expires_at timestamptz;

-- What each user was given on a package, and through which team; one user may have several lines.
create view collaborations as
select package_id, user_id, permission, expires_at, null::text as team
from grants
union all
select team_grants.package_id, team_members.user_id, team_grants.permission, team_grants.expires_at, teams.name
from team_grants
join teams on teams.id = team_grants.team_id
join team_members on team_members.team_id = team_grants.team_id;
