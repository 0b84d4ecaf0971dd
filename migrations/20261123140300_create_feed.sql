-- The feed of changes: a line for each package that is public, or has been. Changes of a package while it is restricted
-- leave no trace here.
--
-- A change takes the number away, and the next reader gives out new ones, under a lock, to what is committed: so a
-- change that commits later always has a higher number than any that was read before (architecture.md, "The feed").
create table feed (
    package_id bigint primary key references packages (id) on delete cascade,
    name text not null,
    revision bigint not null,
    deleted boolean not null,
    sequence bigint constraint feed_sequence_key unique
);

create index feed_unnumbered_idx on feed (package_id) where sequence is null;
create index feed_name_idx on feed (name) where not deleted;

create sequence feed_sequence;

create function keep_feed() returns trigger
language plpgsql as $$
declare
    is_public boolean;
begin
    select packages.visibility = 'public'
            and packages.deleted_at is null
            and exists (select from versions where package_id = packages.id and unpublished_at is null)
    into is_public
    from packages
    where packages.id = new.id;
    if is_public then
        insert into feed (package_id, name, revision, deleted, sequence)
        select id, name, packages.revision, false, null from packages where id = new.id
        on conflict (package_id) do update set revision = excluded.revision, deleted = false, sequence = null;
    else
        update feed set revision = revision + 1, deleted = true, sequence = null
        where package_id = new.id and not deleted;
    end if;
    return null;
end
$$;

create constraint trigger packages_feed_insert after insert on packages
deferrable initially deferred for each row execute function keep_feed();

create constraint trigger packages_feed_update after update of revision, visibility, deleted_at on packages
deferrable initially deferred for each row execute function keep_feed();

insert into feed (package_id, name, revision, deleted, sequence)
select id, name, revision, false, nextval('feed_sequence')
from packages
where visibility = 'public'
  and deleted_at is null
  and exists (select from versions where package_id = packages.id and unpublished_at is null)
order by modified_at, id;
