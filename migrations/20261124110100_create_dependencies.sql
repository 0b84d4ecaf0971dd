-- What the latest version of a package needs, so that one can ask who needs a package. Kept by a trigger when the tag
-- moves, over what the transaction has made of it in the end.
create table dependencies (
    package_id bigint not null references packages (id) on delete cascade,
    name text not null,
    kind text not null,
    range text not null,
    primary key (package_id, name, kind),
    constraint dependencies_kind_check check (
        kind in ('dependencies', 'optionalDependencies', 'peerDependencies')
    )
);

create index dependencies_name_idx on dependencies (name, package_id);

create function refresh_dependencies(changed bigint) returns void
language plpgsql as $$
begin
    delete from dependencies where package_id = changed;
    insert into dependencies (package_id, name, kind, range)
    select changed, needed.key, kinds.kind, left(needed.value #>> '{}', 256)
    from dist_tags
    join versions on versions.id = dist_tags.version_id
    cross join lateral (select manifest_json(versions.manifest) as manifest offset 0) as latest
    cross join unnest(array['dependencies', 'optionalDependencies', 'peerDependencies']) as kinds (kind)
    cross join lateral (
        select key, value
        from json_each(
            case when json_typeof(latest.manifest -> kinds.kind) = 'object' then latest.manifest -> kinds.kind end
        )
        where json_typeof(value) = 'string' and length(key) between 1 and 214
        limit 5000
    ) as needed
    where dist_tags.package_id = changed
      and dist_tags.tag = 'latest'
    on conflict do nothing;
end
$$;

-- Rather not listed than listed as it was: and no publish fails because of what is listed.
create function keep_dependencies() returns trigger
language plpgsql as $$
declare
    changed bigint := case when tg_op = 'DELETE' then old.package_id else new.package_id end;
    tag text := case when tg_op = 'DELETE' then old.tag else new.tag end;
begin
    if tag <> 'latest' then
        return null;
    end if;
    begin
        perform refresh_dependencies(changed);
    exception when others then
        delete from dependencies where package_id = changed;
        raise warning 'the dependencies of a package are not listed: %', sqlerrm;
    end;
    return null;
end
$$;

create constraint trigger dist_tags_dependencies after insert or update or delete on dist_tags
deferrable initially deferred for each row execute function keep_dependencies();

select refresh_dependencies(package_id) from dist_tags where tag = 'latest';
