-- Somebody was asked to make an account, to work on a package, or to join an organization: by mail address or by name. Of
-- the secret in the link only the SHA-256 is here. A link that went by mail alone shows that whoever has it reads what is
-- sent to that address. Without an inviter it was the operator.
create table invitations (
    id bigint generated always as identity primary key,
    key text not null constraint invitations_key_key unique,
    inviter_id bigint references accounts (id) on delete cascade,
    email text,
    user_id bigint references accounts (id) on delete cascade,
    kind text not null constraint invitations_kind_check check (kind in ('account', 'package', 'organization')),
    package_id bigint references packages (id) on delete cascade,
    permission text constraint invitations_permission_check check (permission in ('read-only', 'read-write')),
    organization_id bigint references accounts (id) on delete cascade,
    role text constraint invitations_role_check check (role in ('member', 'admin', 'owner')),
    teams text[] not null default '{}',
    digest bytea not null constraint invitations_digest_key unique,
    by_mail boolean not null,
    state text not null default 'open'
        constraint invitations_state_check check (state in ('open', 'accepted', 'declined', 'revoked')),
    created_at timestamptz not null,
    sent_at timestamptz not null,
    sent_count integer not null default 1,
    expires_at timestamptz not null,
    decided_at timestamptz,
    accepted_by bigint references accounts (id) on delete set null,
    constraint invitations_digest_check check (octet_length(digest) = 32),
    constraint invitations_invitee_check check ((email is null) <> (user_id is null)),
    constraint invitations_place_check check (
        (kind = 'package') = (package_id is not null and permission is not null)
        and (kind = 'organization') = (organization_id is not null and role is not null)
    )
);

create index invitations_package_id_idx on invitations (package_id) where state = 'open';
create index invitations_organization_id_idx on invitations (organization_id) where state = 'open';
create index invitations_user_id_idx on invitations (user_id) where state = 'open';
create index invitations_lower_email_idx on invitations (lower(email)) where state = 'open';
create index invitations_inviter_id_idx on invitations (inviter_id, sent_at);
