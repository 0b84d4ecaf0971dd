-- What waits for approval goes into the bin with its package. Otherwise it would be judged as the first version of a
-- package that does not exist, which every member of an organization may see.
create function forget_staged() returns trigger language plpgsql as $$
begin
    delete from staged_versions where package_name = new.name;
    return null;
end
$$;

create trigger packages_forget_staged after update of deleted_at on packages
for each row when (old.deleted_at is null and new.deleted_at is not null) execute function forget_staged();
