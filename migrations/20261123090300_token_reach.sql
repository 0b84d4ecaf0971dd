-- What a token may do, beyond read_only, which the release before reads: "everything", "read-only", "stage-only",
-- "nothing", or "trusted" with the deeds in trusted_deeds.
alter table tokens
    add column package_right text not null default 'everything',
    add column trusted_deeds text[] not null default '{}',
    add column organization_right text not null default 'write',
    add column organizations text[] not null default '{}',
    add column bypasses_second_factor boolean not null default false;

-- The release before knows only read_only, and must not take a narrower token for a full one.
update tokens set package_right = 'read-only', organization_right = 'read' where read_only;
