-- Whether a key has shown at its registration that it knows its user, by a finger, a face or a code of its own: such a key
-- logs in without a password.
alter table security_keys add column verifies_user boolean not null default false;

-- Questions that a key has answered. A question carries its own end, sealed, so that asking one writes nothing; answered
-- it is remembered until then, and is not answered again.
create table used_challenges (
    digest bytea primary key,
    expires_at timestamptz not null,
    constraint used_challenges_digest_check check (octet_length(digest) = 32)
);

create index used_challenges_expires_at_idx on used_challenges (expires_at);
