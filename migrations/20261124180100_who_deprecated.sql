-- Who said that a version is deprecated, and when. Unknown for what was said before, or through a node of the release
-- before.
alter table versions add column deprecated_by bigint references accounts (id) on delete set null;
alter table versions add column deprecated_at timestamptz;

-- Where the message changes and nobody says by whom, it is not said to be by who spoke before.
create function forget_who_deprecated() returns trigger
language plpgsql as $$
begin
    new.deprecated_by = null;
    new.deprecated_at = null;
    return new;
end
$$;

create trigger versions_forget_who_deprecated before update of deprecated on versions
for each row
when (new.deprecated is null or (
    new.deprecated is distinct from old.deprecated and new.deprecated_at is not distinct from old.deprecated_at
))
execute function forget_who_deprecated();
