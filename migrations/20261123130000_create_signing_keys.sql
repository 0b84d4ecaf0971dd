-- The keys that the registry signs versions with. The private half is sealed by the vault; the public half is served for
-- ever, also of a key that signs no more: what it signed before it expired stays valid.
create table signing_keys (
    key_id text primary key,
    public_key bytea not null,
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz
);

-- One key signs, for all nodes: of two that are made at once, one is kept.
create unique index signing_keys_signing_idx on signing_keys ((true)) where expires_at is null;

create table version_signatures (
    version_id bigint not null references versions (id),
    key_id text not null references signing_keys (key_id),
    signature text not null,
    primary key (version_id, key_id)
);
