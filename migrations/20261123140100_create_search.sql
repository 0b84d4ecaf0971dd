-- What search finds: a line for each package that has a version, of its latest one. Triggers keep it, not the code, so
-- that no change of a package forgets it, also one by a node of the release before. They run when the transaction
-- commits, over what it has made of the package in the end.
create table search_documents (
    package_id bigint primary key references packages (id) on delete cascade,
    name text not null,
    is_public boolean not null,
    version text not null,
    description text,
    keywords text[] not null,
    license text,
    homepage text,
    repository text,
    bugs text,
    author text,
    publisher text not null,
    published_at timestamptz not null,
    deprecated boolean not null,
    words tsvector not null
);

-- Two, so that a search of somebody who may read no restricted package does not even pass by one.
create index search_documents_public_words_idx on search_documents using gin (words) where is_public;

-- Manifests are strangers' text. A NUL, which JSON can hold and Postgres cannot, becomes a blank; and a manifest that
-- Postgres cannot read all the same is as good as an empty one.
create function manifest_json(manifest text) returns json
language plpgsql immutable as $$
begin
    if position('\u0000' in manifest) > 0 then
        return regexp_replace(manifest, '(?<!\\)((?:\\\\)*)\\u0000', '\1 ', 'g')::json;
    end if;
    return manifest::json;
exception when others then
    return '{}';
end
$$;

-- A member of a manifest that should be text, or an object around such a text.
create function manifest_text(manifest json, member text, inner_member text) returns text
language plpgsql immutable as $$
declare
    found json;
begin
    found := manifest -> member;
    if json_typeof(found) = 'object' then
        found := found -> inner_member;
    end if;
    return case when json_typeof(found) = 'string' then left(found #>> '{}', 2000) end;
exception when others then
    return null;
end
$$;

create function manifest_keywords(manifest json) returns text[]
language plpgsql immutable as $$
declare
    found json;
    separate text[];
begin
    found := manifest -> 'keywords';
    if json_typeof(found) = 'string' then
        separate := regexp_split_to_array(found #>> '{}', '[,\s]+');
    elsif json_typeof(found) = 'array' then
        separate := array(select one #>> '{}' from json_array_elements(found) as one where json_typeof(one) = 'string');
    end if;
    return array(select left(one, 100) from unnest(separate) as one where one <> '' limit 50);
exception when others then
    return '{}';
end
$$;

-- Punctuation of every kind divides words: the parser of Postgres would take @acme/one for a path.
create function search_words(said text) returns tsvector
language sql immutable as $$
    select to_tsvector('simple', regexp_replace(coalesce(said, ''), '[-@/_.:,;!?''"()<>#&+=*|\\~`^%$\[\]{}]+', ' ', 'g'))
$$;

create function refresh_search_document(changed bigint) returns void
language plpgsql as $$
begin
    delete from search_documents where package_id = changed;
    insert into search_documents
        (package_id, name, is_public, version, description, keywords, license, homepage, repository, bugs, author,
         publisher, published_at, deprecated, words)
    select
        packages.id,
        packages.name,
        packages.visibility = 'public',
        versions.version,
        shown.description,
        shown.keywords,
        manifest_text(latest.manifest, 'license', 'type'),
        manifest_text(latest.manifest, 'homepage', ''),
        manifest_text(latest.manifest, 'repository', 'url'),
        manifest_text(latest.manifest, 'bugs', 'url'),
        shown.author,
        accounts.name,
        versions.published_at,
        not exists (
            select from versions as living
            where living.package_id = packages.id
              and living.unpublished_at is null
              and coalesce(living.deprecated, '') = ''
        ),
        setweight(search_words(split_part(packages.name, '/', 2)), 'A')
            || setweight(search_words(split_part(packages.name, '/', 1)), 'B')
            || setweight(search_words(array_to_string(shown.keywords, ' ')), 'B')
            || setweight(search_words(shown.description), 'C')
            || setweight(search_words(concat_ws(' ', shown.author, accounts.name)), 'D')
    from packages
    join dist_tags on dist_tags.package_id = packages.id and dist_tags.tag = 'latest'
    join versions on versions.id = dist_tags.version_id and versions.unpublished_at is null
    join accounts on accounts.id = versions.published_by
    cross join lateral (select manifest_json(versions.manifest) as manifest offset 0) as latest
    cross join lateral (
        select
            manifest_text(latest.manifest, 'description', '') as description,
            manifest_keywords(latest.manifest) as keywords,
            manifest_text(latest.manifest, 'author', 'name') as author
        offset 0
    ) as shown
    where packages.id = changed
      and packages.deleted_at is null;
end
$$;

-- Rather not found than found as it was: and no publish fails because of what can be searched for.
create function keep_search_document() returns trigger
language plpgsql as $$
begin
    begin
        perform refresh_search_document(new.id);
    exception when others then
        delete from search_documents where package_id = new.id;
        raise warning 'a package cannot be searched for: %', sqlerrm;
    end;
    return null;
end
$$;

create constraint trigger packages_search_insert after insert on packages
deferrable initially deferred for each row execute function keep_search_document();

create constraint trigger packages_search_update after update of revision, visibility, deleted_at on packages
deferrable initially deferred for each row execute function keep_search_document();

select refresh_search_document(id) from packages;

-- Who may write to a package, its owner first: the maintainers of its packument.
create function maintainers_of(package bigint, at timestamptz) returns text[]
language sql stable as $$
    select array(
        select accounts.name
        from packages
        join accounts
            on accounts.kind = 'user'
           and (
               accounts.id = packages.owner_id
               or accounts.id in (
                   select user_id from organization_members
                   where organization_id = packages.owner_id and role in ('admin', 'owner')
               )
               or accounts.id in (
                   select user_id from collaborations
                   where package_id = packages.id
                     and (permission = 'read-write' or packages.visibility = 'public')
                     and (expires_at is null or expires_at > at)
               )
           )
        where packages.id = package
        order by accounts.id <> packages.owner_id, accounts.name
    )
$$;

-- How alike a name is to what was searched for, from 0 to 1: asked where no word matches. With trigrams where the
-- database has them, which it need not; else by what the name contains.
create function search_likeness(sought text, name text) returns real
language sql immutable as $$
    select case when position(sought in name) > 0 then 0.9 else 0 end::real
$$;

do $$
begin
    create extension if not exists pg_trgm;
    execute $function$
        create or replace function search_likeness(sought text, name text) returns real
        language sql immutable as $body$
            select case
                when position(sought in name) > 0 then 0.9
                else greatest(word_similarity(sought, name), similarity(sought, split_part(name, '/', 2)))
            end::real
        $body$
    $function$;
exception when others then
    raise notice 'no trigrams here, so names are searched for by what they contain: %', sqlerrm;
end
$$;
